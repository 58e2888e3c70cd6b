//! `lucida serve`: the server.

use super::{Failure, cache::Cache, napari::Napari, reading::Reading, usage};
use crate::{
    app::world::{self, WorldSettings},
    data::{
        self,
        coarse::{Shelf, with_levels},
        error::OpenError,
        roots::Roots,
    },
    gpu::device,
    server::{self, Listeners, Opener, ServerConfig, TlsPaths, Token},
    wire::command::{CommandCode, CommandFailure},
};
use anyhow::Context;
use clap::Args;
use lucida_components::lod::LodRules;
use std::{
    io::Write,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

/// MiB of bricks below which hardly a volume can be shown.
const LEAST_VOLUMES: u64 = 16;

/// Serve images: draw them here, look at them in a browser.
#[derive(Debug, Args)]
pub struct Serve {
    /// OME-Zarr images or bare Zarr arrays. The first is shown; the others can be chosen in the page. Where there
    /// is a --root, none needs to be named.
    #[arg(required_unless_present = "roots", env = "LUCIDA_DATA", value_delimiter = ':')]
    data: Vec<PathBuf>,
    /// Folder in which clients may look for images and open them; nothing outside it. Can be given several times.
    #[arg(long = "root", value_name = "DIR", env = "LUCIDA_ROOTS", value_delimiter = ':')]
    roots: Vec<PathBuf>,
    /// Address to listen on. Any but a loopback address demands a token.
    #[arg(long, env = "LUCIDA_HOST", default_value = "127.0.0.1")]
    host: std::net::IpAddr,
    /// Port; 0 takes a free one.
    #[arg(long, env = "LUCIDA_PORT", default_value_t = 8080)]
    port: u16,
    /// Token that clients must show; made and printed where one is needed and none is given.
    #[arg(long, env = "LUCIDA_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Token of those who may look and not change; the other one is made where it is not given.
    #[arg(long, env = "LUCIDA_VIEWER_TOKEN", hide_env_values = true)]
    viewer_token: Option<String>,
    /// Certificate chain (PEM) for https.
    #[arg(long, env = "LUCIDA_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key (PEM) for https.
    #[arg(long, env = "LUCIDA_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Further host names under which browsers may come (a proxy's name).
    #[arg(long = "allow-host", env = "LUCIDA_ALLOW_HOST", value_delimiter = ',')]
    allow_hosts: Vec<String>,
    /// Sessions at once.
    #[arg(long, env = "LUCIDA_MAX_SESSIONS", default_value_t = 64)]
    max_sessions: usize,
    /// Bits per second of a stream.
    #[arg(long, env = "LUCIDA_BITRATE", default_value_t = 12_000_000)]
    bitrate: u32,
    /// MiB of decoded chunks kept in memory.
    #[arg(long, env = "LUCIDA_HOST_CACHE", default_value_t = 1024)]
    host_cache: u64,
    /// MiB of each tile pool on the GPU; as much as suits the device where it is not given.
    #[arg(long, env = "LUCIDA_GPU_POOL")]
    gpu_pool: Option<u64>,
    /// MiB of bricks of volumes on the GPU; as much as suits the device where it is not given.
    #[arg(long, env = "LUCIDA_GPU_VOLUMES")]
    gpu_volumes: Option<u64>,
    /// How levels are chosen: `sharp` (a data pixel for every screen pixel) or `napari-cuda`.
    #[arg(long, env = "LUCIDA_LEVELS", default_value = "sharp", value_parser = ["sharp", "napari-cuda"])]
    levels: String,
    #[command(flatten)]
    napari: Napari,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    cache: Cache,
}

pub(super) fn run(args: &Serve) -> Result<(), Failure> {
    let config = config(args)?;
    let address = SocketAddr::new(args.host, args.port);

    // The ports first: a taken port is said before anything else takes time.
    let page = TcpListener::bind(address)
        .with_context(|| format!("cannot listen on {address}; take another with --port"))?;
    let listeners = Listeners { page, napari: args.napari.listen()? };
    let lines = lines(&listeners, &config)?;
    // The image is opened while the driver starts.
    let shelf = args.cache.shelf();
    let opening = match args.data.first().cloned() {
        None => None,
        Some(path) => {
            let (options, shelf) = (args.reading.options(), shelf.clone());
            let opening = std::thread::Builder::new().name("lucida-open".into()).spawn(move || {
                let opened = data::open::open_with(&path, &options);
                opened.map(|opened| (with_levels(opened, &shelf), path))
            })?;
            Some(opening)
        }
    };
    let device = device::open()?;
    let mut settings = WorldSettings::of(&device);
    settings.encode.bitrate = args.bitrate;
    settings.budgets.host_bytes = args.host_cache.max(64) << 20;
    if let Some(mib) = args.gpu_pool {
        settings.budgets.pool_bytes = (mib.max(1) << 20).min(device.max_pool);
    }
    if let Some(mib) = args.gpu_volumes {
        settings.budgets.brick_bytes = mib.max(LEAST_VOLUMES) << 20;
    }
    if args.levels == "napari-cuda" {
        settings.rules = LodRules::NAPARI_CUDA;
    }
    let opened = match opening {
        None => None,
        Some(opening) => Some(opening.join().map_err(|_| anyhow::anyhow!("opening the image panicked"))??),
    };

    let world = world::start(device, settings)?;
    match opened {
        Some((opened, path)) => {
            for warning in &opened.dataset.warnings {
                tracing::warn!("{}: {warning}", path.display());
            }
            let intent = world::show(&world.sources, opened);
            world.handle.send_blocking(crate::app::bridge::Inbound::Intent(intent))?;
        }
        // There is nothing to wait for: it waits for somebody to open an image.
        None => world.handle.shared().ready.store(true, Ordering::Release),
    }

    let opener = opener(args, world.sources.clone(), shelf);
    // Whoever started the server may have closed its output: that is no reason to stop serving.
    if let Err(error) = std::io::stdout().write_all(lines.as_bytes()) {
        tracing::warn!("the URL could not be printed: {error}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("lucida-net")
        .enable_all()
        .build()?;
    let handle = world.handle.clone();
    // A world that ended by itself ends the server: better gone than frozen.
    let ended = async {
        tokio::select! {
            () = interrupted() => {}
            () = handle.ended() => {}
        }
    };
    let served = runtime.block_on(server::run(listeners, config, world.handle.clone(), opener, ended));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    world.stop()?;
    Ok(served?)
}

/// What is printed: where to look.
fn lines(listeners: &Listeners, config: &ServerConfig) -> Result<String, Failure> {
    let mut lines = server::urls(listeners.page.local_addr()?, config);
    if let Some(napari) = &listeners.napari {
        lines.extend(server::napari_lines(napari.state.local_addr()?, napari.pixels.local_addr()?));
    }
    Ok(lines.join("\n") + "\n")
}

fn config(args: &Serve) -> Result<ServerConfig, Failure> {
    let parse = |option: &str, text: &String| Token::parse(text).map_err(|e| usage(format!("{option}: {e}")));
    let viewer_token = args.viewer_token.as_ref().map(|text| parse("--viewer-token", text)).transpose()?;
    let token = match &args.token {
        Some(text) => Some(parse("--token", text)?),
        // Without a token for the others everybody might do everything.
        None if args.host.is_loopback() && viewer_token.is_none() => None,
        None => Some(Token::generate()?),
    };
    if let (Some(token), Some(viewer)) = (&token, &viewer_token)
        && token.admits(viewer.expose())
    {
        return Err(usage("--viewer-token: it is the same as --token; viewers need another one"));
    }
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some(TlsPaths { cert: cert.clone(), key: key.clone() }),
        _ => None,
    };
    let datasets =
        args.data.iter().map(|path| (data::open::name_of(path), path.display().to_string())).collect();
    Ok(ServerConfig {
        datasets,
        roots: Roots::new(&args.roots).context("--root")?,
        token,
        viewer_token,
        napari_canvas: args.napari.canvas()?,
        tls,
        allow_hosts: args.allow_hosts.clone(),
        max_sessions: args.max_sessions,
        fps: f64::from(lucida_systems::pace::Pace::MAX_FPS),
        ..ServerConfig::default()
    })
}

/// Opens what the server found to be allowed.
fn opener(args: &Serve, sources: data::pool::Sources, shelf: Arc<Shelf>) -> Opener {
    let named = args.data.clone();
    let options = args.reading.options();
    Arc::new(move |path: &str| {
        // What was named on the command line may have a path that no text holds.
        let named = named.iter().find(|named| named.display().to_string() == path);
        let path = named.cloned().unwrap_or_else(|| PathBuf::from(path));
        let opened = data::open::open_with(&path, &options).map_err(|e| {
            let is_missing = matches!(e, OpenError::Missing { .. });
            let code = if is_missing { CommandCode::PathNotFound } else { CommandCode::InvalidImage };
            CommandFailure::new(code, e.to_string()).at(path.display().to_string())
        })?;
        let opened = with_levels(opened, &shelf);
        for (id, source) in opened.sources {
            sources.register(id, source);
        }
        Ok(opened.dataset)
    })
}

/// Resolves at Ctrl-C or SIGTERM.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(error) => {
            tracing::error!("SIGTERM is not heard: {error}");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
