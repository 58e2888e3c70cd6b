//! The paths there are.

use super::{
    App,
    guard::{self, Refusal},
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
use serde::Deserialize;
use std::sync::Arc;

/// What a query may hold.
#[derive(Deserialize)]
struct Asked {
    token: Option<String>,
    session: Option<String>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), format!("{self}\n")).into_response()
    }
}

/// The router. Probes are answered to whoever asks; everything else knows its hosts.
pub fn routes(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .route("/state", get(open_state))
        .route("/pixels", get(open_pixels))
        .route("/metrics", get(scrape))
        .fallback(get(files))
        .layer(middleware::from_fn_with_state(app.clone(), known_host));
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .merge(guarded)
        .with_state(app)
}

async fn known_host(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Refusal> {
    guard::host(request.headers(), request.uri(), app.bound, &app.config).inspect_err(|_| {
        tracing::debug!(path = request.uri().path(), "refused: unknown host");
    })?;
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
    guard::token(&headers, asked.token.as_deref(), &app.config)?;
    Ok(match metrics::text(app.world.metrics()) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    })
}

/// Checks that hold for both channels.
fn admit(app: &App, headers: &HeaderMap, uri: &Uri, asked: &Asked) -> Result<(), Refusal> {
    guard::token(headers, asked.token.as_deref(), &app.config)
        .and_then(|()| guard::origin(headers, uri, &app.config))
        .inspect_err(|refusal| tracing::info!(path = uri.path(), ?refusal, "refused a connection"))
}

async fn open_state(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Response> {
    admit(&app, &headers, &uri, &asked).map_err(IntoResponse::into_response)?;
    let permit = socket::permit(&app)?;
    let greeting = socket::one_of(&app.greetings)?;
    Ok(socket::limited(upgrade, crate::wire::envelope::MAX_TEXT).on_upgrade(async move |socket| {
        state::serve(app, socket, greeting).await;
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
