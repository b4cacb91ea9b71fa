//! The expected result of each fault at each step.

use Fault::{
    ByteFlipped, ChangedFile, ClampedContext, CtrlC, Disconnect, DiskFull, ErrorLine, Http404, Http500,
    Http503, Kill, KillAfter, MalformedNdjson, NoPermission, NoSuccessLine, OutOfMemory, PortTaken,
    RangesIgnored, ReadOnly, RedirectLoop, RedirectToHttp, ServerExits, ServerHangs, Stall, Truncated,
    WrongLength,
};
use Run::{Finishes, Stops};
use Step::{Check, Create, Fetch, Load, Login, Measure, Pull, Receipt, Start, Unpack};

/// The steps, as the program names them in its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Check,
    Fetch,
    Unpack,
    Start,
    Pull,
    Create,
    Load,
    Measure,
    Login,
    Receipt,
}

impl Step {
    pub const ALL: [Self; 10] = [Check, Fetch, Unpack, Start, Pull, Create, Load, Measure, Login, Receipt];

    /// The name in events.
    pub fn name(self) -> &'static str {
        match self {
            Check => "check",
            Fetch => "fetch_engine",
            Unpack => "unpack_engine",
            Start => "start_server",
            Pull => "pull_model",
            Create => "create_model",
            Load => "load_model",
            Measure => "measure",
            Login => "start_at_login",
            Receipt => "write_receipt",
        }
    }
}

/// The faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Kill,
    KillAfter,
    CtrlC,
    Disconnect,
    Stall,
    Http404,
    Http500,
    Http503,
    Truncated,
    ByteFlipped,
    WrongLength,
    RangesIgnored,
    ChangedFile,
    RedirectToHttp,
    RedirectLoop,
    DiskFull,
    NoPermission,
    ReadOnly,
    PortTaken,
    ServerExits,
    ServerHangs,
    OutOfMemory,
    ClampedContext,
    MalformedNdjson,
    ErrorLine,
    NoSuccessLine,
}

impl Fault {
    pub const ALL: [Self; 26] = [
        Kill,
        KillAfter,
        CtrlC,
        Disconnect,
        Stall,
        Http404,
        Http500,
        Http503,
        Truncated,
        ByteFlipped,
        WrongLength,
        RangesIgnored,
        ChangedFile,
        RedirectToHttp,
        RedirectLoop,
        DiskFull,
        NoPermission,
        ReadOnly,
        PortTaken,
        ServerExits,
        ServerHangs,
        OutOfMemory,
        ClampedContext,
        MalformedNdjson,
        ErrorLine,
        NoSuccessLine,
    ];

    /// Its name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Kill => "kill -9 at its start",
            KillAfter => "kill -9 right after its end",
            CtrlC => "Ctrl-C",
            Disconnect => "disconnect",
            Stall => "stall",
            Http404 => "404",
            Http500 => "500",
            Http503 => "503, then OK",
            Truncated => "truncated",
            ByteFlipped => "one byte flipped",
            WrongLength => "wrong length",
            RangesIgnored => "ranges ignored",
            ChangedFile => "changed file",
            RedirectToHttp => "redirect to http",
            RedirectLoop => "redirect loop",
            DiskFull => "disk full",
            NoPermission => "no permission",
            ReadOnly => "read-only",
            PortTaken => "port taken",
            ServerExits => "server exits",
            ServerHangs => "server hangs",
            OutOfMemory => "out of memory at load",
            ClampedContext => "clamped context",
            MalformedNdjson => "malformed NDJSON",
            ErrorLine => "error line after 200",
            NoSuccessLine => "no success line",
        }
    }
}

/// Expected result of the run with the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It continues and succeeds.
    Finishes,
    /// It ends with an error message.
    Stops,
    /// Either: the run may have finished before the fault took effect.
    Either,
}

/// One fault at one step.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub step: Step,
    pub fault: Fault,
    pub run: Run,
}

impl Cell {
    const fn new(step: Step, fault: Fault, run: Run) -> Self {
        Self { step, fault, run }
    }

    pub fn name(&self) -> String {
        format!("{} / {}", self.step.name(), self.fault.title())
    }
}

/// Every cell that is tested.
pub const CELLS: &[Cell] = &[
    // The program is killed.
    Cell::new(Check, Kill, Stops),
    Cell::new(Fetch, Kill, Stops),
    Cell::new(Unpack, Kill, Stops),
    Cell::new(Start, Kill, Stops),
    Cell::new(Pull, Kill, Stops),
    Cell::new(Create, Kill, Stops),
    Cell::new(Load, Kill, Stops),
    Cell::new(Measure, Kill, Stops),
    Cell::new(Login, Kill, Run::Either),
    Cell::new(Receipt, Kill, Run::Either),
    Cell::new(Check, KillAfter, Stops),
    Cell::new(Fetch, KillAfter, Stops),
    Cell::new(Unpack, KillAfter, Stops),
    Cell::new(Start, KillAfter, Stops),
    Cell::new(Pull, KillAfter, Stops),
    Cell::new(Create, KillAfter, Stops),
    Cell::new(Load, KillAfter, Stops),
    Cell::new(Measure, KillAfter, Run::Either),
    Cell::new(Login, KillAfter, Run::Either),
    Cell::new(Receipt, KillAfter, Run::Either),
    // The user stops it.
    Cell::new(Check, CtrlC, Stops),
    Cell::new(Fetch, CtrlC, Stops),
    Cell::new(Unpack, CtrlC, Stops),
    Cell::new(Start, CtrlC, Stops),
    Cell::new(Pull, CtrlC, Stops),
    Cell::new(Create, CtrlC, Stops),
    Cell::new(Load, CtrlC, Stops),
    Cell::new(Measure, CtrlC, Stops),
    Cell::new(Login, CtrlC, Run::Either),
    Cell::new(Receipt, CtrlC, Run::Either),
    // The mirror.
    Cell::new(Fetch, Disconnect, Finishes),
    Cell::new(Fetch, Stall, Stops),
    Cell::new(Fetch, Http404, Stops),
    Cell::new(Fetch, Http500, Stops),
    Cell::new(Fetch, Http503, Finishes),
    Cell::new(Fetch, Truncated, Stops),
    Cell::new(Fetch, ByteFlipped, Stops),
    // All bytes may arrive anyway, in ranges, which the hash confirms.
    Cell::new(Fetch, WrongLength, Run::Either),
    Cell::new(Fetch, RangesIgnored, Finishes),
    Cell::new(Fetch, ChangedFile, Finishes),
    Cell::new(Fetch, RedirectToHttp, Stops),
    Cell::new(Fetch, RedirectLoop, Stops),
    // The registry, through the engine.
    Cell::new(Pull, Disconnect, Finishes),
    Cell::new(Pull, Stall, Stops),
    Cell::new(Pull, Http404, Stops),
    Cell::new(Pull, Http500, Stops),
    Cell::new(Pull, Http503, Finishes),
    Cell::new(Pull, Truncated, Stops),
    Cell::new(Pull, ByteFlipped, Finishes),
    Cell::new(Pull, WrongLength, Stops),
    Cell::new(Pull, RangesIgnored, Finishes),
    Cell::new(Pull, ChangedFile, Finishes),
    Cell::new(Pull, RedirectLoop, Stops),
    // The engine's answers.
    Cell::new(Create, Disconnect, Stops),
    Cell::new(Load, Disconnect, Stops),
    Cell::new(Measure, Disconnect, Stops),
    Cell::new(Create, Http404, Stops),
    Cell::new(Load, Http404, Stops),
    Cell::new(Measure, Http404, Stops),
    Cell::new(Start, Http500, Stops),
    Cell::new(Create, Http500, Stops),
    Cell::new(Load, Http500, Stops),
    Cell::new(Measure, Http500, Stops),
    Cell::new(Pull, MalformedNdjson, Stops),
    Cell::new(Create, MalformedNdjson, Stops),
    Cell::new(Load, MalformedNdjson, Stops),
    Cell::new(Measure, MalformedNdjson, Stops),
    Cell::new(Pull, ErrorLine, Stops),
    Cell::new(Create, ErrorLine, Stops),
    Cell::new(Load, ErrorLine, Stops),
    Cell::new(Measure, ErrorLine, Stops),
    Cell::new(Pull, NoSuccessLine, Stops),
    Cell::new(Create, NoSuccessLine, Stops),
    Cell::new(Measure, NoSuccessLine, Finishes),
    // The machine.
    Cell::new(Check, DiskFull, Stops),
    Cell::new(Fetch, DiskFull, Stops),
    Cell::new(Unpack, DiskFull, Stops),
    Cell::new(Pull, DiskFull, Stops),
    Cell::new(Login, DiskFull, Stops),
    Cell::new(Receipt, DiskFull, Stops),
    Cell::new(Check, PortTaken, Stops),
    Cell::new(Check, NoPermission, Stops),
    Cell::new(Fetch, NoPermission, Stops),
    Cell::new(Unpack, NoPermission, Stops),
    Cell::new(Start, NoPermission, Stops),
    Cell::new(Pull, NoPermission, Stops),
    Cell::new(Login, NoPermission, Finishes),
    Cell::new(Receipt, NoPermission, Stops),
    Cell::new(Check, ReadOnly, Stops),
    Cell::new(Fetch, ReadOnly, Stops),
    Cell::new(Unpack, ReadOnly, Stops),
    Cell::new(Start, ReadOnly, Stops),
    Cell::new(Pull, ReadOnly, Stops),
    Cell::new(Login, ReadOnly, Finishes),
    Cell::new(Receipt, ReadOnly, Stops),
    // The server.
    Cell::new(Start, ServerExits, Stops),
    Cell::new(Pull, ServerExits, Stops),
    Cell::new(Create, ServerExits, Stops),
    Cell::new(Load, ServerExits, Stops),
    Cell::new(Measure, ServerExits, Stops),
    Cell::new(Start, ServerHangs, Stops),
    Cell::new(Pull, ServerHangs, Stops),
    Cell::new(Create, ServerHangs, Stops),
    Cell::new(Load, ServerHangs, Stops),
    Cell::new(Measure, ServerHangs, Stops),
    Cell::new(Load, OutOfMemory, Stops),
    Cell::new(Create, ClampedContext, Stops),
    Cell::new(Load, ClampedContext, Stops),
];
