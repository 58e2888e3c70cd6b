//! The `lucida` command.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    lucida::cli::run(lucida::cli::Cli::parse())
}
