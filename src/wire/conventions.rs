//! What the two halves of a session agree on: its dialect, and what its pixels and values refer to.

use lucida_components::{applied::ViewState, session::Features, stream::Canvas};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The two dialects of the one protocol. They differ in conventions and in what is told, not in what can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The ledger's conventions, and our additions for who asks for them: the page's port.
    House,
    /// That of napari-cuda's client, to the letter.
    Napari,
}

/// The conventions of one session. Its writer notes what it tells, its reader understands by it.
#[derive(Debug)]
pub struct Conventions {
    dialect: Dialect,
    features: Features,
    told: Mutex<Told>,
}

/// What a session was told last.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The canvas that its pixels refer to.
    pub canvas: Canvas,
    /// The state; none before the first, and while no image is open.
    pub state: Option<Arc<ViewState>>,
}

impl Conventions {
    /// Of a session that was told nothing yet.
    pub fn new(dialect: Dialect, features: Features) -> Self {
        Self { dialect, features, told: Mutex::default() }
    }

    /// The dialect.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What was negotiated.
    pub fn features(&self) -> Features {
        self.features
    }

    /// What was told last.
    pub fn told(&self) -> Told {
        self.lock().clone()
    }

    /// Notes the canvas.
    pub fn note_canvas(&self, canvas: Canvas) {
        self.lock().canvas = canvas;
    }

    /// Notes a state and its canvas.
    pub fn note(&self, state: &Arc<ViewState>) {
        let mut told = self.lock();
        told.canvas = state.canvas;
        // Outside the lock nothing may be dropped that takes long: the last of a large image's descriptions.
        let before = told.state.replace(state.clone());
        drop(told);
        drop(before);
    }

    /// Notes that no image is open.
    pub fn note_idle(&self) {
        let before = self.lock().state.take();
        drop(before);
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
