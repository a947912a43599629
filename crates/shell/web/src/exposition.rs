//! Families of metrics, built for one answer and written in the text form of Prometheus.

use crate::Histogram;
use prometheus::proto::{self, MetricFamily, MetricType};
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

    pub fn histogram(&mut self, of: &Histogram) {
        let buckets = of.buckets.iter().map(|(bound, no_longer)| {
            let mut bucket = proto::Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(*no_longer);
            bucket
        });
        let mut histogram = proto::Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(of.count);
        histogram.set_sample_sum(of.sum);
        let mut metric = proto::Metric::default();
        metric.set_histogram(histogram);
        let mut family = MetricFamily::default();
        family.set_name(format!("centralita_{}", of.name));
        family.set_help(of.help.into());
        family.set_field_type(MetricType::HISTOGRAM);
        family.set_metric(vec![metric]);
        self.0.push(family);
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
