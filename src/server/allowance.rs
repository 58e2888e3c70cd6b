//! How much a client may say: as fast as people and scripts do, no faster. One that says more is not told off;
//! it is read more slowly, so that through TCP it waits, and nobody else does.

use super::config::ServerConfig;
use std::time::{Duration, Instant};

/// Messages that may come at once after a while of silence: a script that sets everything.
const BURST: f64 = 256.0;
/// Bytes that count as one more message: reading JSON costs by its length.
const BYTES: usize = 4 << 10;
/// Shortest pause. Fewer and longer ones let what a flood asks for merge in fewer turns.
const PAUSE: Duration = Duration::from_millis(10);

/// What one socket may still send before it is read more slowly.
#[derive(Debug)]
pub struct Allowance {
    rate: f64,
    left: f64,
    at: Instant,
}

impl Allowance {
    /// A full one.
    pub fn new(config: &ServerConfig, now: Instant) -> Self {
        Self { rate: config.messages_per_second, left: BURST, at: now }
    }

    /// Counts a message of `bytes` bytes. Returns how long to read nothing, where it was one too many.
    #[must_use = "the pause is the caller's to make"]
    pub fn spend(&mut self, bytes: usize, now: Instant) -> Option<Duration> {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * self.rate;
        self.at = self.at.max(now);
        self.left = (self.left + earned).min(BURST) - (1 + bytes / BYTES) as f64;
        (self.left < 0.0).then(|| Duration::from_secs_f64(-self.left / self.rate).max(PAUSE))
    }

    /// Counts a message that has just come, and pauses where it was one too many.
    pub async fn pace(&mut self, bytes: usize) {
        if let Some(pause) = self.spend(bytes, Instant::now()) {
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance(now: Instant) -> Allowance {
        let config = ServerConfig { messages_per_second: 1000.0, ..ServerConfig::default() };
        Allowance::new(&config, now)
    }

    #[test]
    fn a_burst_is_free_and_a_flood_keeps_to_the_rate() {
        let mut now = Instant::now();
        let mut allowance = allowance(now);
        for n in 0..256 {
            assert_eq!(allowance.spend(200, now), None, "message {n}");
        }
        let begun = now;
        for _ in 0..5000 {
            if let Some(pause) = allowance.spend(200, now) {
                assert!(pause >= PAUSE);
                now += pause;
            }
        }
        let took = (now - begun).as_secs_f64();
        assert!((4.9..5.1).contains(&took), "5000 messages in {took} s");
    }

    #[test]
    fn a_mouse_is_never_slowed() {
        let mut now = Instant::now();
        let mut allowance = allowance(now);
        for _ in 0..10_000 {
            now += Duration::from_millis(1);
            assert_eq!(allowance.spend(300, now), None);
        }
    }

    #[test]
    fn long_messages_count_by_their_length() {
        let now = Instant::now();
        let mut allowance = allowance(now);
        assert_eq!(allowance.spend(BYTES * 255, now), None);
        assert_eq!(allowance.spend(1 << 20, now), Some(Duration::from_millis(257)));
        let mut later = now + Duration::from_hours(1);
        assert_eq!(allowance.spend(0, later), None, "rest fills it");
        later -= Duration::from_secs(1);
        assert_eq!(allowance.spend(0, later), None, "a clock that goes back takes nothing");
    }
}
