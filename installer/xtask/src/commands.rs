//! The commands that check and publish a release.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use time::Duration;

use crate::publish::versions::{Checkout, root_of_this_checkout};
use crate::publish::{PublishError, components, list, manifests, packages::Packages};

/// Folder of the packages.
const DIST: &str = "target/dist";

/// What is published with the packages.
#[derive(Subcommand)]
pub enum PublishTask {
    /// Check that version, changelog and the words about the newest version agree; with --tag that this is its release
    CheckRelease(CheckRelease),
    /// Write the list of versions, signed if MINISIGN_SECRET_KEY (and MINISIGN_PASSWORD) are set
    List(ListTask),
    /// Fill the manifests of package managers
    Manifests(Manifests),
    /// Check that a list of components (CycloneDX, JSON) names every package that the programs are built from
    CheckComponents {
        /// The list
        file: PathBuf,
    },
}

/// See [`PublishTask::CheckRelease`].
#[derive(Args)]
pub struct CheckRelease {
    /// The release's tag
    #[arg(long)]
    tag: Option<String>,
    /// Write what the release changes, from the changelog, to FILE
    #[arg(long, value_name = "FILE", requires = "tag")]
    notes: Option<PathBuf>,
}

/// What is published, and where.
#[derive(Args)]
struct Published {
    /// OWNER/NAME on GitHub, if Cargo.toml does not say
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// Folder of the packages and of SHA256SUMS
    #[arg(long, value_name = "DIR", default_value = DIST)]
    dist: PathBuf,
}

impl Published {
    /// The packages, compared with their checksums, and the page of the repository.
    fn read(&self, checkout: &Checkout) -> Result<(Packages, String), PublishError> {
        let packages = Packages::at(&self.dist, &checkout.version.to_string())?;
        Ok((packages, checkout.repository(self.repository.as_deref())?))
    }
}

/// See [`PublishTask::List`].
#[derive(Args)]
pub struct ListTask {
    /// Serial number, above that of every earlier list
    #[arg(long)]
    serial: u64,
    /// For how many days the list is believed
    #[arg(long, value_name = "DAYS", default_value_t = 120)]
    valid_days: u16,
    /// Renew this list instead of making one of the packages
    #[arg(long, value_name = "FILE")]
    renew: Option<PathBuf>,
    #[command(flatten)]
    published: Published,
    /// Where the list goes; with the packages by default
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// See [`PublishTask::Manifests`].
#[derive(Args)]
pub struct Manifests {
    #[command(flatten)]
    published: Published,
    /// Where the manifests go; the folder `manifests` with the packages by default
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Runs one of the commands in the checkout that this program was built from.
///
/// # Errors
/// See [`PublishError`].
pub fn publish(task: &PublishTask) -> Result<(), PublishError> {
    let checkout = Checkout::at(&root_of_this_checkout())?;
    match task {
        PublishTask::CheckRelease(args) => check_release(&checkout, args),
        PublishTask::List(args) => make_list(&checkout, args),
        PublishTask::Manifests(args) => {
            let (packages, repository) = args.published.read(&checkout)?;
            let output = args.output.clone().unwrap_or_else(|| args.published.dist.join("manifests"));
            for path in manifests::make_manifests(&checkout, &packages, &repository, &output)? {
                println!("{}", path.display());
            }
            Ok(())
        }
        PublishTask::CheckComponents { file } => {
            let count = components::check_components(&checkout, file)?;
            println!("{}: all {count} packages are named", file.display());
            Ok(())
        }
    }
}

fn check_release(checkout: &Checkout, args: &CheckRelease) -> Result<(), PublishError> {
    list::Changes::of(checkout)?;
    let Some(tag) = &args.tag else {
        println!("version {}", checkout.version);
        return Ok(());
    };
    let release = checkout.release_of(tag)?;
    println!("{tag} is the release of {}", release.date.as_deref().unwrap_or_default());
    match &args.notes {
        Some(file) => crate::publish::write(file, format!("{}\n", release.text).as_bytes()),
        None => Ok(()),
    }
}

fn make_list(checkout: &Checkout, args: &ListTask) -> Result<(), PublishError> {
    let valid = Duration::days(args.valid_days.into());
    let made = match &args.renew {
        Some(file) => {
            let earlier = crate::publish::read(file)?;
            list::renewed(earlier.as_bytes(), args.serial, valid)?
        }
        None => {
            let (packages, repository) = args.published.read(checkout)?;
            list::list_of(checkout, &packages, &repository, args.serial, valid)?
        }
    };
    let secret = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let signature = match secret("MINISIGN_SECRET_KEY") {
        Some(key) => {
            let password = secret("MINISIGN_PASSWORD").unwrap_or_default();
            Some(list::signature_of(&made, &key, &password, list::known_key(checkout)?.as_deref())?)
        }
        None => None,
    };
    let output = args.output.as_ref().unwrap_or(&args.published.dist);
    list::write_list(output, &made, signature.as_deref())?;
    let signed = if signature.is_some() { "signed" } else { "not signed: MINISIGN_SECRET_KEY is not set" };
    println!("{} ({signed})", output.join(list::LIST).display());
    Ok(())
}
