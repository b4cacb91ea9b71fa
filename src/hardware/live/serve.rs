//! The child that keeps a driver's library open: one line of input, one answer about memory.

use std::io::BufRead as _;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use serde::Serialize;

use crate::hardware::evidence::SourceAnswer;
use crate::hardware::sources::nvml::OpenNvml;
use crate::hardware::sources::wgpu_adapters::ListedAdapters;
use crate::machine::GpuSource;

/// Answers with `print` until the input ends.
pub fn memory_of(source: GpuSource, print: fn(&str) -> std::io::Result<()>) -> ! {
    let (send, questions) = channel();
    thread::spawn(move || read_questions(&send));
    let answer = answerer(source);
    for () in questions {
        if answer().and_then(|json| print(&json)).is_err() {
            break;
        }
    }
    abort()
}

/// Opens the source, and returns how to ask it.
fn answerer(source: GpuSource) -> Box<dyn Fn() -> std::io::Result<String>> {
    match source {
        GpuSource::Nvml => match OpenNvml::open() {
            Ok(open) => Box::new(move || json(&open.memory())),
            Err(why) => Box::new(move || json(&why)),
        },
        GpuSource::Wgpu => {
            let listed = ListedAdapters::list();
            Box::new(move || json(&listed.describe()))
        }
        GpuSource::Dxgi => Box::new(|| json(&crate::hardware::system::dxgi_adapters())),
        // It reports the memory of this process only.
        GpuSource::Sysinfo => Box::new(|| json(&SourceAnswer::<()>::NotQueried)),
    }
}

fn json<T: Serialize>(answer: &SourceAnswer<T>) -> std::io::Result<String> {
    Ok(serde_json::to_string(answer)?)
}

/// On its own thread, so that the end of the parent is noticed while a driver hangs.
fn read_questions(questions: &Sender<()>) {
    for line in std::io::stdin().lock().lines() {
        if line.is_err() || questions.send(()).is_err() {
            break;
        }
    }
    abort()
}

/// Ends this process at once, because the driver may hold locks that exit needs.
pub fn abort() -> ! {
    #[cfg(unix)]
    let _impossible = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::exit(1);
}
