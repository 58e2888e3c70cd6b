//! The command line. Exit codes: 0 done, 1 it failed, 2 it was asked for wrongly.

mod cache;
mod demo;
mod doctor;
mod info;
mod napari;
mod reading;
mod render;
mod serve;
mod size;
mod validate;
mod volume;

use clap::{Parser, Subcommand};
use std::{io::IsTerminal, process::ExitCode};
use tracing_subscriber::EnvFilter;

/// Look at images too large to move: a render server beside OME-Zarr data, a picture in a browser anywhere.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    /// What to log: a level (error, warn, info, debug, trace) or `module=level,…`.
    #[arg(long, global = true, env = "LUCIDA_LOG", default_value = "warn")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Info(info::Info),
    Validate(validate::Validate),
    Render(render::Render),
    Doctor(doctor::Doctor),
}

/// Runs a command; says on stderr what went wrong.
pub fn run(cli: Cli) -> ExitCode {
    let filter = match EnvFilter::try_new(&cli.log) {
        Ok(filter) => filter,
        Err(error) => {
            eprintln!("lucida: --log {:?}: {error}", cli.log);
            return ExitCode::from(2);
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let outcome = match cli.command {
        Command::Serve(c) => serve::run(&c),
        Command::Demo(c) => demo::run(&c),
        Command::Info(c) => info::run(&c),
        Command::Validate(c) => validate::run(&c),
        Command::Render(c) => render::run(&c),
        Command::Doctor(c) => doctor::run(&c),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => {
            eprintln!("lucida: {error:#}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            eprintln!("lucida: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Why a command did not succeed.
#[derive(Debug)]
enum Failure {
    /// It was asked for wrongly: exit code 2.
    Usage(anyhow::Error),
    /// It failed: exit code 1.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A usage error.
fn usage(message: impl std::fmt::Display + std::fmt::Debug + Send + Sync + 'static) -> Failure {
    Failure::Usage(anyhow::Error::msg(message))
}
