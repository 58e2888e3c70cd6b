//! The page and its files, embedded in the binary.

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode, Uri, header},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets/web"]
#[allow_missing = true]
struct Files;

/// Answers with the file that the path names; `/` is `index.html`.
pub fn file(uri: &Uri, headers: &HeaderMap) -> Response<Body> {
    let name = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    let mut response = match Files::get(name) {
        Some(found) => {
            let tag = tag(&found.metadata.sha256_hash());
            let kind = content_type(found.metadata.mimetype());
            if headers.get(header::IF_NONE_MATCH).is_some_and(|t| t.as_bytes() == tag.as_bytes()) {
                respond(StatusCode::NOT_MODIFIED, Body::empty(), &kind)
            } else {
                let mut response = respond(StatusCode::OK, Body::from(found.data.into_owned()), &kind);
                if let Ok(tag) = tag.parse() {
                    response.headers_mut().insert(header::ETAG, tag);
                }
                response
            }
        }
        None => {
            respond(StatusCode::NOT_FOUND, Body::from("there is no such file\n"), "text/plain; charset=utf-8")
        }
    };
    let policy = policy(headers);
    for (name, value) in [
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The page's URL may hold the token.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
    ] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn respond(status: StatusCode, body: Body, kind: &str) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Ok(kind) = kind.parse() {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

fn content_type(mime: &str) -> String {
    if mime.starts_with("text/") { format!("{mime}; charset=utf-8") } else { mime.to_owned() }
}

fn tag(hash: &[u8; 32]) -> String {
    format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(hash))
}

/// Everything from here alone. `'self'` does not cover `ws:` in every browser, so the host is named.
fn policy(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    format!(
        "default-src 'self'; connect-src 'self' ws://{host} wss://{host}; worker-src 'self'; img-src 'self' data:; \
         object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_answer_is_guarded_and_unknown_files_are_not_found() {
        for path in ["/nothing.js", "/../Cargo.toml", "/..%2fCargo.toml", "//etc/passwd"] {
            let headers = [(header::HOST, "localhost:8080".parse().unwrap())].into_iter().collect();
            let response = file(&path.parse().unwrap(), &headers);
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(
                policy.starts_with("default-src 'self'; connect-src 'self' ws://localhost:8080 "),
                "{policy}"
            );
            assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        }
    }

    #[test]
    fn every_file_of_the_page_has_a_type_that_browsers_take() {
        for name in Files::iter() {
            let headers = HeaderMap::new();
            let response = file(&format!("/{name}").parse().unwrap(), &headers);
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
            let want = match name.rsplit('.').next().unwrap() {
                "html" => "text/html; charset=utf-8",
                "js" | "mjs" => "text/javascript; charset=utf-8",
                "css" => "text/css; charset=utf-8",
                "svg" => "image/svg+xml",
                _ => kind.as_str(),
            };
            assert_eq!(kind, want, "{name}");
            let seen =
                [(header::IF_NONE_MATCH, response.headers()[header::ETAG].clone())].into_iter().collect();
            assert_eq!(file(&format!("/{name}").parse().unwrap(), &seen).status(), StatusCode::NOT_MODIFIED);
        }
    }
}
