//! Where a session stands in the topics that it can go on with after a break.

use lucida_components::notice::Mark;

/// The place in one topic that a session was told last.
#[derive(Debug, Default)]
pub(super) struct Place(Option<Mark>);

impl Place {
    /// The place of a client that comes back, where nothing was missed.
    pub(super) fn resumed(mark: Option<&Mark>) -> Self {
        Self(mark.cloned())
    }

    /// Whether this is where it is.
    pub(super) fn is(&self, mark: &Mark) -> bool {
        self.0.as_ref() == Some(mark)
    }

    /// Goes on to a mark of the world's. What has none of its own has the next number, and a token that no
    /// connection after this one knows: nothing can be gone on with from there.
    pub(super) fn at(&mut self, mark: Option<&Mark>) -> Mark {
        let mark = mark.cloned().unwrap_or_else(|| Mark { seq: self.next(), token: token() });
        self.0 = Some(mark.clone());
        mark
    }

    /// Goes on to a mark of the world's, or stays where it is: what is told is no part of what can be missed.
    pub(super) fn here_or(&mut self, mark: Option<&Mark>) -> Mark {
        match (&self.0, mark) {
            (Some(here), None) => here.clone(),
            _ => self.at(mark),
        }
    }

    fn next(&self) -> u64 {
        self.0.as_ref().map_or(0, |mark| mark.seq + 1)
    }
}

fn token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
