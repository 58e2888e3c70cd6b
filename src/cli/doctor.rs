//! `lucida doctor`: what will be used here, and why.

use super::Failure;
use crate::{
    encode::probe,
    gpu::{cuda_sys, device},
};
use clap::Args;

/// Say which GPU, driver and encoder will be used and why, and what to install otherwise.
#[derive(Debug, Args)]
pub struct Doctor {
    /// As JSON.
    #[arg(long, env = "LUCIDA_JSON")]
    json: bool,
}

#[derive(Debug, serde::Serialize)]
struct Report {
    adapters: Vec<Adapter>,
    encoders: Vec<probe::EncoderReport>,
    cuda: cuda_sys::CudaReport,
    ports: Vec<Port>,
}

/// One of the ports that `lucida serve` takes where nothing else is said.
#[derive(Debug, serde::Serialize)]
struct Port {
    number: u16,
    used_for: &'static str,
    option: &'static str,
    free: bool,
}

fn ports() -> Vec<Port> {
    let free = |port: u16| std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).is_ok();
    [
        (8080, "the page", "--port"),
        (8081, "napari's state channel", "--napari-state-port"),
        (8082, "napari's pixel channel", "--napari-pixel-port"),
    ]
    .map(|(number, used_for, option)| Port { number, used_for, option, free: free(number) })
    .into()
}

#[derive(Debug, serde::Serialize)]
struct Adapter {
    name: String,
    kind: String,
    driver: String,
    used: bool,
    /// Volumes of 16-bit values can be drawn on it.
    wide_volumes: bool,
}

pub(super) fn run(args: &Doctor) -> Result<(), Failure> {
    let adapters: Vec<Adapter> = device::adapters()
        .iter()
        .enumerate()
        .map(|(n, a)| {
            let i = a.get_info();
            let driver = format!("{} {}", i.driver, i.driver_info);
            let wide_volumes = device::draws_wide_volumes(a.features());
            Adapter { name: i.name, kind: format!("{:?}", i.device_type), driver, used: n == 0, wide_volumes }
        })
        .collect();
    let opened = device::open();
    let report = Report { adapters, encoders: probe::probe(), cuda: cuda_sys::probe(), ports: ports() };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    let usable = report.encoders.iter().any(|e| e.usable);
    match opened {
        Err(error) => Err(error.into()),
        Ok(_) if !usable => Err(anyhow::anyhow!("no encoder works: pictures cannot be streamed").into()),
        Ok(_) => Ok(()),
    }
}

fn print(report: &Report) {
    println!("Drawing (Vulkan)");
    for a in &report.adapters {
        let used = if a.used { "used" } else { "not used: a better one is above" };
        println!("  {} ({}, {}): {used}", a.name, a.kind, a.driver.trim());
        if a.used && !a.wide_volumes {
            println!(
                "  It has no 16-bit normalized textures: volumes of 16-bit values cannot be drawn on it."
            );
        }
    }
    match report.adapters.first() {
        None => println!(
            "  none. Install a GPU driver with Vulkan, or Mesa's software driver:\n  \
             apt-get install libvulkan1 mesa-vulkan-drivers"
        ),
        Some(a) if a.kind == "Cpu" => println!(
            "  This is a software driver: fine for planes. On a machine with a GPU, install its Vulkan driver."
        ),
        Some(_) => {}
    }
    println!("Encoding (H.264)");
    for e in &report.encoders {
        let version = e.version.as_deref().unwrap_or("");
        let usable = if e.usable { "used" } else { "not used" };
        println!("  {} {version}: {usable}: {}", e.name, e.reason);
    }
    println!("CUDA");
    match (&report.cuda.reason, &report.cuda.version) {
        (Some(reason), _) => println!("  not there: {reason}"),
        (None, version) => {
            println!("  driver {}", version.as_deref().unwrap_or("of unknown version"));
            report.cuda.devices.iter().for_each(|d| println!("  {d}"));
        }
    }
    println!("Ports");
    for Port { number, used_for, option, free } in &report.ports {
        let state =
            if *free { "free".to_owned() } else { format!("taken: `lucida serve` needs another {option}") };
        println!("  {number} ({used_for}): {state}");
    }
}
