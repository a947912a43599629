//! Families of metrics, built for one answer and written in the text form of Prometheus.

use prometheus::proto::MetricFamily;
use prometheus::{Encoder, GaugeVec, IntCounterVec, Opts, Registry, TextEncoder};

/// Families in the order they are written. A family without a row is left out.
#[derive(Default)]
pub struct Page(Vec<MetricFamily>);

impl Page {
    pub fn count(&mut self, name: &str, help: &str, labels: &[&str], rows: impl IntoIterator<Item = (Vec<String>, u64)>) {
        self.family(
            |opts| {
                let family = IntCounterVec::new(opts, labels)?;
                for (values, n) in rows {
                    family.get_metric_with_label_values(&values)?.inc_by(n);
                }
                Ok(Box::new(family))
            },
            name,
            help,
        );
    }

    pub fn gauge(&mut self, name: &str, help: &str, labels: &[&str], rows: impl IntoIterator<Item = (Vec<String>, f64)>) {
        self.family(
            |opts| {
                let family = GaugeVec::new(opts, labels)?;
                for (values, n) in rows {
                    family.get_metric_with_label_values(&values)?.set(n);
                }
                Ok(Box::new(family))
            },
            name,
            help,
        );
    }

    fn family(
        &mut self,
        fill: impl FnOnce(Opts) -> prometheus::Result<Box<dyn prometheus::core::Collector>>,
        name: &str,
        help: &str,
    ) {
        let registry = Registry::new();
        let gathered = fill(Opts::new(name, help).namespace("centralita")).and_then(|family| registry.register(family));
        match gathered {
            Ok(()) => self.0.extend(registry.gather()),
            // A gauge of the wiring with a name that Prometheus forbids.
            Err(error) => tracing::error!(name, %error, "not a metric"),
        }
    }

    pub fn encode(&self) -> String {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.0, &mut text) {
            tracing::error!(%error, "metrics cannot be written");
        }
        String::from_utf8(text).unwrap_or_default()
    }
}
