//! The paths there are.

use super::{
    App, anonymous,
    comer::Comer,
    guard::{self, Refusal},
    listeners::Door,
    metrics, page, pixels, socket, state,
};
use axum::{
    Router,
    extract::{Query, Request, State, ws::WebSocketUpgrade},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use lucida_components::session::Role;
use serde::Deserialize;
use std::{net::SocketAddr, sync::Arc};

/// What a query may hold.
#[derive(Deserialize)]
struct Asked {
    token: Option<String>,
    session: Option<String>,
    role: Option<String>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), format!("{self}\n")).into_response()
    }
}

/// The router of a port. Probes are answered to whoever asks; everything else knows its hosts.
pub fn routes(app: Arc<App>, door: Door, bound: SocketAddr) -> Router {
    let here = (app.clone(), bound);
    // Whatever the path on the older protocol's ports: that client's is `/`, others' were never looked at.
    let napari = |open| {
        Router::new().fallback(open).layer(middleware::from_fn_with_state(here.clone(), no_foreign_page))
    };
    match door {
        Door::Page => {
            let guarded = Router::new()
                .route("/state", get(open_state))
                .route("/pixels", get(open_pixels))
                .route("/metrics", get(scrape))
                .fallback(get(files))
                .layer(middleware::from_fn_with_state(here, known_host));
            Router::new()
                .route("/healthz", get(|| async { "alive\n" }))
                .route("/readyz", get(ready))
                .merge(guarded)
                .with_state(app)
        }
        Door::NapariState => napari(get(open_napari_state)).with_state(app),
        Door::NapariPixels => napari(get(open_napari_pixels)).with_state(app),
    }
}

async fn known_host(
    State((app, bound)): State<(Arc<App>, SocketAddr)>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    guard::host(request.headers(), request.uri(), bound, &app.config).inspect_err(|_| {
        tracing::debug!(path = request.uri().path(), "refused: unknown host");
    })?;
    Ok(next.run(request).await)
}

/// Where no token is asked for, a browser's page must all the more come from here.
async fn no_foreign_page(
    State((app, bound)): State<(Arc<App>, SocketAddr)>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    guard::napari(request.headers(), request.uri(), bound, &app.config)
        .inspect_err(|refusal| tracing::info!(?refusal, "refused a connection to a napari port"))?;
    Ok(next.run(request).await)
}

async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.world.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "starting\n")
    }
}

async fn files(uri: Uri, headers: HeaderMap) -> Response {
    page::file(&uri, &headers)
}

async fn scrape(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    guard::controller(&headers, asked.token.as_deref(), &app.config)?;
    Ok(match metrics::text(app.world.metrics()) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    })
}

/// Checks that hold for both channels. Says what whoever comes may do at most.
fn admit(app: &App, headers: &HeaderMap, uri: &Uri, asked: &Asked) -> Result<Role, Refusal> {
    guard::token(headers, asked.token.as_deref(), &app.config)
        .and_then(|role| guard::origin(headers, uri, &app.config).map(|()| role))
        .inspect_err(|refusal| tracing::info!(path = uri.path(), ?refusal, "refused a connection"))
}

async fn open_state(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Response> {
    let most = admit(&app, &headers, &uri, &asked).map_err(IntoResponse::into_response)?;
    let Some(role) = asked.role.as_deref().map_or(Some(most), Role::parse) else {
        return Err((StatusCode::BAD_REQUEST, "role is viewer or controller\n").into_response());
    };
    greet(app, upgrade, Comer::house(role.min(most), most))
}

async fn open_napari_state(
    State(app): State<Arc<App>>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Response> {
    let comer = Comer::napari(&app.config);
    greet(app, upgrade, comer)
}

/// Opens a state channel.
#[expect(clippy::result_large_err, reason = "the error is the response")]
fn greet(app: Arc<App>, upgrade: WebSocketUpgrade, comer: Comer) -> Result<Response, Response> {
    let permit = socket::permit(&app)?;
    let greeting = socket::one_of(&app.greetings)?;
    Ok(socket::limited(upgrade, crate::wire::envelope::MAX_TEXT).on_upgrade(async move |socket| {
        state::serve(app, socket, comer, greeting).await;
        drop(permit);
    }))
}

async fn open_napari_pixels(
    State(app): State<Arc<App>>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Response> {
    let permit = socket::permit(&app)?;
    Ok(socket::limited(upgrade, pixels::MAX_MESSAGE).on_upgrade(async move |socket| {
        anonymous::serve(app, socket).await;
        drop(permit);
    }))
}

async fn open_pixels(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Response> {
    admit(&app, &headers, &uri, &asked).map_err(IntoResponse::into_response)?;
    let permit = socket::permit(&app)?;
    Ok(socket::limited(upgrade, pixels::MAX_MESSAGE).on_upgrade(async move |socket| {
        pixels::serve(app, socket, asked.session.as_deref().unwrap_or_default()).await;
        drop(permit);
    }))
}
