//! `/metrics`: what the world counts, as Prometheus text. Times are told in seconds.

use lucida_components::{
    metrics::{Histogram, Metrics},
    ops::OpKind,
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};
use std::fmt;

/// The content type of [`text()`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The text of one scrape.
///
/// # Errors
/// None that a text can have; the encoder's signature has it.
pub fn text(metrics: Metrics) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("lucida");
    registry.register_collector(Box::new(World(metrics)));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}

#[derive(Debug)]
struct World(Metrics);

impl Collector for World {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let m = &self.0;
        ops(&mut encoder, m)?;
        for (name, help, value) in [
            ("turns", "Turns run.", m.turns),
            ("transaction_faults", "Transactions that were abandoned.", m.faults),
            ("level_switches", "Levels that the policy chose anew.", m.level_switches),
            ("level_downgrades", "Levels made coarser by a budget.", m.level_downgrades),
            ("notices", "Notices put into outboxes.", m.notices),
            ("notices_merged", "Notices that merged into one that still waited.", m.notices_merged),
            ("acks", "Answers put into outboxes.", m.acks),
            ("frames_drawn", "Frames drawn.", m.frames_drawn),
            ("drafts_drawn", "Of those, pictures of volumes of fewer pixels than asked for.", m.drafts_drawn),
            ("pieces_drawn", "Pieces of pictures of volumes.", m.pieces_drawn),
            ("frames_held", "Frames not drawn because every watcher lagged.", m.frames_held),
            ("pictures_sent", "Pictures given to sessions.", m.pictures_sent),
            ("pictures_dropped", "Pictures withheld from a session that lagged.", m.pictures_dropped),
            ("keyframes", "Keyframes made.", m.keyframes),
            ("tiles_uploaded", "Tiles cut and uploaded.", m.tiles_uploaded),
            ("tiles_evicted", "Tiles evicted.", m.tiles_evicted),
            ("bricks_uploaded", "Bricks cut and uploaded.", m.bricks_uploaded),
            ("bricks_uniform", "Bricks cut that needed no memory.", m.bricks_uniform),
            ("chunks_loaded", "Chunks that arrived.", m.chunks_loaded),
            ("chunks_failed", "Chunks that failed.", m.chunks_failed),
            ("gpu_refusals", "Times the GPU had no room for a buffer.", m.gpu_refusals),
            ("gpu_losses", "Devices that were lost.", m.gpu_losses),
        ] {
            counter(&mut encoder, name, help, None, value)?;
        }
        counter(
            &mut encoder,
            "pictures",
            "Bytes of pictures given to sessions.",
            Some(&Unit::Bytes),
            m.picture_bytes,
        )?;
        gauge(&mut encoder, "cache", "Decoded chunks in host memory.", Some(&Unit::Bytes), m.cache_bytes)?;
        gauge(
            &mut encoder,
            "transit",
            "Chunks being read or on their way to the cache.",
            Some(&Unit::Bytes),
            m.transit_bytes,
        )?;
        gauge(
            &mut encoder,
            "host_peak",
            "The most decoded chunks in host memory so far.",
            Some(&Unit::Bytes),
            m.host_peak_bytes,
        )?;
        gauge(&mut encoder, "gpu", "Buffers on the GPU.", Some(&Unit::Bytes), m.gpu_bytes)?;
        gauge(
            &mut encoder,
            "gpu_pool",
            "What each tile pool may have now.",
            Some(&Unit::Bytes),
            m.pool_bytes,
        )?;
        gauge(
            &mut encoder,
            "gpu_volumes",
            "What all brick pools together may have now.",
            Some(&Unit::Bytes),
            m.brick_bytes,
        )?;
        gauge(&mut encoder, "sessions", "Sessions connected.", None, m.sessions)?;
        for (name, help, histogram) in [
            ("level_step", "Time of the level step of a transaction.", &m.level_micros),
            ("transaction", "Time of a whole transaction.", &m.txn_micros),
            ("draw", "Time of drawing a picture on the GPU.", &m.draw_micros),
            ("encode", "Time of a picture in the encoder.", &m.encode_micros),
            (
                "intent_to_picture",
                "From the arrival of an intent to its answering picture leaving the encoder.",
                &m.intent_to_picture_micros,
            ),
        ] {
            seconds(&mut encoder, name, help, histogram)?;
        }
        Ok(())
    }
}

fn ops(encoder: &mut DescriptorEncoder<'_>, m: &Metrics) -> fmt::Result {
    let mut family =
        encoder.encode_descriptor("ops", "Ops closed, by kind and outcome.", None, MetricType::Counter)?;
    for kind in OpKind::ALL {
        let slot = Metrics::kind_slot(kind);
        for (outcome, count) in [("applied", m.ops_applied[slot]), ("rejected", m.ops_rejected[slot])] {
            let labels = [("kind", kind.as_str()), ("outcome", outcome)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: u64,
) -> fmt::Result {
    ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, unit, MetricType::Counter)?)
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: u64,
) -> fmt::Result {
    let value = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    value.encode(encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?)
}

fn seconds(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    histogram: &Histogram,
) -> fmt::Result {
    let bounds = Histogram::BOUNDS.iter().map(|micros| micros / 1e6).chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(histogram.counts).collect();
    encoder
        .encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?
        .encode_histogram::<NoLabelSet>(histogram.sum / 1e6, histogram.count(), &buckets, None)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn counters_gauges_and_histograms_have_names_units_and_help() {
        let mut metrics = Metrics { turns: 7, picture_bytes: 9, sessions: 2, ..Metrics::default() };
        metrics.ops_rejected[Metrics::kind_slot(OpKind::Dims)] = 3;
        metrics.txn_micros.observe(30.0);
        metrics.txn_micros.observe(2e6);
        let text = text(metrics).unwrap();
        for line in [
            "# HELP lucida_turns Turns run.",
            "lucida_turns_total 7",
            "lucida_ops_total{kind=\"dims\",outcome=\"rejected\"} 3",
            "lucida_ops_total{kind=\"dims\",outcome=\"applied\"} 0",
            "lucida_pictures_bytes_total 9",
            "lucida_sessions 2",
            "# TYPE lucida_transaction_seconds histogram",
            "lucida_transaction_seconds_sum 2.00003",
            "lucida_transaction_seconds_count 2",
            "lucida_transaction_seconds_bucket{le=\"0.00005\"} 1",
            "lucida_transaction_seconds_bucket{le=\"+Inf\"} 2",
            "# EOF",
        ] {
            assert!(text.lines().any(|l| l == line), "no line {line} in\n{text}");
        }
    }
}
