//! The steps of the sidebar, in order.

/// A step of the sidebar. Manage is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SidebarStep {
    /// What the program is.
    Welcome,
    /// What the machine has.
    Hardware,
    /// What it can run.
    Compatibility,
    /// What will be installed.
    Profile,
    /// The limits of the choice, if any.
    Consent,
    /// Everything that will be done.
    Summary,
    /// The installation.
    Install,
    /// What was promised and what was measured.
    Result,
}

impl SidebarStep {
    /// All steps, in order.
    pub const ALL: [Self; 8] = [
        Self::Welcome,
        Self::Hardware,
        Self::Compatibility,
        Self::Profile,
        Self::Consent,
        Self::Summary,
        Self::Install,
        Self::Result,
    ];
}
