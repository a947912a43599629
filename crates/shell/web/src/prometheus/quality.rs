//! How legs sounded, as histograms over those that closed today.

use crate::doors::Histogram;
use crate::exposition::Page;
use metrics::{Distribution, Figures};

pub fn quality(page: &mut Page, figures: &Figures) {
    let q = &figures.quality;
    page.count("legs_total", &super::of("quality.legs"), &[], [(vec![], q.legs)]);
    page.count("legs_reporting_total", &super::of("quality.reporting"), &[], [(vec![], q.reporting)]);
    histogram(page, "leg_mos_received", "quality.mos_received", &q.mos_received);
    histogram(page, "leg_mos_sent", "quality.mos_sent", &q.mos_sent);
    histogram(page, "leg_loss_received_ratio", "quality.loss_received", &q.loss_received);
    histogram(page, "leg_loss_sent_ratio", "quality.loss_sent", &q.loss_sent);
    histogram(page, "leg_jitter_received_seconds", "quality.jitter_received", &q.jitter_received);
    histogram(page, "leg_jitter_sent_seconds", "quality.jitter_sent", &q.jitter_sent);
    histogram(page, "leg_round_trip_seconds", "quality.round_trip", &q.round_trip);
}

fn histogram(page: &mut Page, name: &'static str, figure: &str, of: &Distribution) {
    let help = metrics::definition(figure).map_or("", |definition| definition.text);
    page.histogram(&Histogram { name, help, buckets: of.buckets.clone(), count: of.count, sum: of.sum });
}
