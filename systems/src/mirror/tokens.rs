//! Tokens: with one of them a client that comes back says how far it was told.
//!
//! 32 hexadecimal digits: 16 that no other process has, then the image (8) and the place in the sequence of its
//! topic (8), or for a stream (16) a hash of its configuration. Clients keep them as they are.

use lucida_components::{dataset::SourceId, stream::StreamConfig};
use std::hash::{BuildHasher, RandomState};

/// In the place of a sequence number: the scene, which has none.
const SCENE: u32 = u32::MAX;
/// In the place of a sequence number: a baseline that is not told to its end.
const UNFINISHED: u32 = u32::MAX - 1;
/// Sequence numbers are told apart modulo this; far fewer are remembered.
const PLACES: u64 = UNFINISHED as u64;

/// Makes tokens and reads them.
#[derive(Debug)]
pub struct Tokens {
    nonce: u64,
    keys: RandomState,
}

impl Default for Tokens {
    fn default() -> Self {
        let keys = RandomState::new();
        Self { nonce: keys.hash_one("nonce"), keys }
    }
}

impl Tokens {
    /// Of the scene that shows an image; `None` where none is open.
    pub fn scene(&self, image: Option<SourceId>) -> String {
        self.write(image.map_or(u32::MAX, |i| i.0), SCENE)
    }

    /// Of a place in the sequence of layer controls.
    pub fn layers(&self, image: SourceId, seq: u64) -> String {
        self.write(image.0, (seq % PLACES) as u32)
    }

    /// Of layer controls of which not all were told: nobody can go on from it.
    pub fn unfinished(&self, image: SourceId) -> String {
        self.write(image.0, UNFINISHED)
    }

    /// Of a configuration.
    pub fn stream(&self, config: &StreamConfig) -> String {
        format!("{:016x}{:016x}", self.nonce, self.keys.hash_one((config.canvas, &config.avcc)))
    }

    /// How many places before `seq` a token of the layer controls of this image was made, modulo a number that
    /// is larger than any memory of them. `None` for any other text.
    pub fn layers_behind(&self, image: SourceId, seq: u64, token: &str) -> Option<u64> {
        let place = token.strip_prefix(&self.prefix(image.0))?;
        // Parsing alone would take a sign and capitals.
        let is_ours = place.len() == 8 && place.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let place = u64::from(u32::from_str_radix(place, 16).ok().filter(|p| is_ours && *p < UNFINISHED)?);
        Some((seq % PLACES + PLACES - place) % PLACES)
    }

    fn write(&self, image: u32, place: u32) -> String {
        format!("{}{place:08x}", self.prefix(image))
    }

    fn prefix(&self, image: u32) -> String {
        format!("{:016x}{image:08x}", self.nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucida_components::stream::Canvas;

    const IMAGE: SourceId = SourceId(7);

    #[test]
    fn only_what_was_made_for_the_layers_of_an_image_is_read() {
        let tokens = Tokens::default();
        let good = tokens.layers(IMAGE, 5);
        assert_eq!((good.len(), tokens.layers_behind(IMAGE, 9, &good)), (32, Some(4)));
        let config = StreamConfig {
            canvas: Canvas::default(),
            codec: "avc1.42C01F".into(),
            avcc: vec![1, 2],
            encoder: "test",
        };
        let wrong = [
            tokens.layers(SourceId(8), 5),
            Tokens::default().layers(IMAGE, 5),
            tokens.scene(Some(IMAGE)),
            tokens.scene(None),
            tokens.unfinished(IMAGE),
            tokens.stream(&config),
            good.to_uppercase() + "0",
            good[..31].to_owned(),
            format!("{good}0"),
            format!("{}+0000005", &good[..24]),
            format!("{}0000000A", &good[..24]),
            format!("{}0000é05", &good[..24]),
            String::new(),
            "é".repeat(16),
        ];
        for token in wrong {
            assert_eq!(tokens.layers_behind(IMAGE, 9, &token), None, "{token:?}");
        }
    }

    #[test]
    fn places_are_told_apart_across_the_end_of_the_numbers() {
        let tokens = Tokens::default();
        let seq = PLACES + 3;
        assert_eq!(tokens.layers_behind(IMAGE, seq, &tokens.layers(IMAGE, seq - 5)), Some(5));
        assert_eq!(tokens.layers_behind(IMAGE, seq, &tokens.layers(IMAGE, seq)), Some(0));
        let ahead = tokens.layers_behind(IMAGE, 3, &tokens.layers(IMAGE, 4));
        assert!(ahead.is_some_and(|behind| behind > 1 << 20), "what is not there yet is far away: {ahead:?}");
    }

    #[test]
    fn tokens_of_streams_are_those_of_their_configuration() {
        let tokens = Tokens::default();
        let config = |width, avcc: &[u8], encoder| StreamConfig {
            canvas: Canvas { width, height: 100 },
            codec: String::new(),
            avcc: avcc.to_vec(),
            encoder,
        };
        let token = tokens.stream(&config(100, &[1], "a"));
        assert_eq!(token, tokens.stream(&config(100, &[1], "b")));
        assert_ne!(token, tokens.stream(&config(102, &[1], "a")));
        assert_ne!(token, tokens.stream(&config(100, &[2], "a")));
        assert_ne!(token, Tokens::default().stream(&config(100, &[1], "a")));
    }
}
