//! `/metrics` in the text form of Prometheus. Each figure's HELP is its one definition.
//!
//! What counts over the window (today) is a counter that starts again at the window's beginning, as Prometheus expects
//! of a counter that restarts. Seconds and ratios, never milliseconds and per cent.

mod handling;
mod quality;

use crate::App;
use crate::doors::Health;
use crate::exposition::Page;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use engine::Snapshot;
use metrics::{Figures, OfPolicy, QueueFigures, Visits};
use std::collections::BTreeMap;
use std::sync::Arc;

pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let health = (app.doors.health)();
    let up = (app.doors.clock)().wall.since(health.started).as_secs_f64();
    let text = text(&app.doors.figures.load(), &app.doors.snapshot.load(), &health, up);
    ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response()
}

fn text(figures: &Figures, snapshot: &Snapshot, health: &Health, up_seconds: f64) -> String {
    let mut page = Page::default();
    calls(&mut page, figures);
    visits(&mut page, &figures.queues);
    callbacks(&mut page, &figures.queues);
    expected_wait(&mut page, &figures.queues);
    agents(&mut page, figures);
    handling::handling(&mut page, figures);
    recordings(&mut page, figures);
    quality::quality(&mut page, figures);
    node(&mut page, figures, snapshot);
    health_of(&mut page, health, up_seconds);
    page.encode()
}

fn calls(page: &mut Page, figures: &Figures) {
    let c = &figures.totals.calls;
    page.count("calls_incoming_total", &of("calls.incoming"), &[], [(vec![], c.incoming)]);
    let ends = [("rejected", c.rejected), ("ivr_abandoned", c.ivr_abandoned), ("ivr_ended", c.ivr_ended), ("queued", c.queued)];
    let help = "Incoming calls of today by what became of them; with calls_in_ivr they add up to calls_incoming_total.";
    page.count("calls_total", help, &["became"], ends.map(|(became, n)| (vec![became.to_string()], n)));
    page.gauge("calls_in_ivr", &of("calls.in_ivr"), &[], [(vec![], c.in_ivr as f64)]);
    page.gauge("calls_live", &of("calls.live_now"), &[], [(vec![], c.live_now as f64)]);
    page.count("calls_reached_agent_total", &of("calls.reached_agent"), &[], [(vec![], c.reached_agent)]);
    page.count("calls_lost_total", &of("calls.lost"), &[], [(vec![], c.lost)]);
    let languages = figures.languages.iter().map(|(lang, n)| (vec![lang.to_string()], *n));
    page.count("calls_by_language_total", &of("languages"), &["language"], languages);
}

/// A counter's name and where it stands.
type Counted = (&'static str, fn(&Visits) -> u64);

fn visits(page: &mut Page, queues: &[QueueFigures]) {
    let counted: [Counted; 9] = [
        ("offered", |v| v.offered),
        ("short_abandons", |v| v.short_abandons),
        ("abandoned_ringing", |v| v.abandoned_ringing),
        ("refused", |v| v.refused),
        ("handled", |v| v.handled),
        ("offers", |v| v.offers),
        ("rona", |v| v.rona),
        ("answered_in_time", |v| v.answered_in_time),
        ("abandoned_in_time", |v| v.abandoned_in_time),
    ];
    for (name, read) in counted {
        let rows = queues.iter().map(|q| (vec![q.queue.to_string()], read(&q.visits)));
        page.count(&format!("queue_{name}_total"), &of(&format!("visits.{name}")), &["queue"], rows);
    }
    let help = "Visits of today by outcome; with queue_visits_waiting they add up to queue_offered_total.";
    page.count("queue_visits_total", help, &["queue", "outcome"], queues.iter().flat_map(outcomes));
    let gauge = |page: &mut Page, name, definition, read: fn(&QueueFigures) -> f64| {
        page.gauge(name, &of(definition), &["queue"], queues.iter().map(|q| (vec![q.queue.to_string()], read(q))));
    };
    gauge(page, "queue_visits_waiting", "visits.waiting", |q| q.visits.waiting as f64);
    gauge(page, "queue_waiting", "queues.waiting_now", |q| q.waiting_now as f64);
    gauge(page, "queue_longest_wait_seconds", "queues.longest_wait_ms", |q| seconds(q.longest_wait_ms));
    let optional = |page: &mut Page, name, definition, read: fn(&QueueFigures) -> Option<f64>| {
        let rows = queues.iter().filter_map(|q| Some((vec![q.queue.to_string()], read(q)?)));
        page.gauge(name, &of(definition), &["queue"], rows);
    };
    optional(page, "queue_asa_seconds", "visits.asa_ms", |q| q.visits.asa_ms.map(seconds));
    optional(page, "queue_aht_seconds", "visits.aht_ms", |q| q.visits.aht_ms.map(seconds));
    optional(page, "queue_abandonment_ratio", "visits.abandonment_rate", |q| q.visits.abandonment_rate);
    service_level(page, queues);
    let help = "Wait of answered visits of today (nearest rank, known to 1.6 %).";
    page.gauge("queue_wait_seconds", help, &["queue", "quantile"], queues.iter().flat_map(quantiles));
    let by_state =
        queues.iter().flat_map(|q| q.agents_by_state.iter().map(|(s, n)| (vec![q.queue.to_string(), s.to_string()], *n as f64)));
    page.gauge("queue_agents", &of("queues.agents_by_state"), &["queue", "state"], by_state);
}

fn callbacks(page: &mut Page, queues: &[QueueFigures]) {
    let ends = |q: &QueueFigures| {
        let c = &q.callbacks;
        let all = [("connected", c.connected), ("failed", c.failed), ("joined", c.joined), ("cancelled", c.cancelled)];
        all.map(|(end, n)| (vec![q.queue.to_string(), end.to_string()], n))
    };
    let rows = |read: fn(&QueueFigures) -> u64| queues.iter().map(move |q| (vec![q.queue.to_string()], read(q)));
    page.count("queue_callbacks_requested_total", &of("callbacks.requested"), &["queue"], rows(|q| q.callbacks.requested));
    page.count("queue_callback_attempts_total", &of("callbacks.attempts"), &["queue"], rows(|q| q.callbacks.attempts));
    let help =
        "Callbacks asked for today by how they ended; with those that wait they add up to queue_callbacks_requested_total.";
    page.count("queue_callbacks_total", help, &["queue", "end"], queues.iter().flat_map(ends));
    let waiting = queues.iter().map(|q| (vec![q.queue.to_string()], q.callbacks_now as f64));
    page.gauge("queue_callbacks_waiting", &of("queues.callbacks_now"), &["queue"], waiting);
}

/// The estimator beside its own error.
fn expected_wait(page: &mut Page, queues: &[QueueFigures]) {
    let coverage = |q: &QueueFigures| {
        let of = &q.expected_wait;
        let all = [("0.5", of.p50_coverage), ("0.9", of.p90_coverage)];
        all.into_iter().filter_map(|(p, share)| Some((vec![q.queue.to_string(), p.to_string()], share?))).collect::<Vec<_>>()
    };
    let help = "Answered visits of today whose true wait was at most the expected one, as a share: a good P90 has 0.9.";
    page.gauge("queue_expected_wait_coverage_ratio", help, &["queue", "quantile"], queues.iter().flat_map(coverage));
    let rms = |q: &QueueFigures| Some((vec![q.queue.to_string()], seconds(q.expected_wait.rms_error_ms?)));
    let help = of("expected_wait.rms_error_ms");
    page.gauge("queue_expected_wait_rms_error_seconds", &help, &["queue"], queues.iter().filter_map(rms));
}

/// The formula stands beside the number here too.
fn service_level(page: &mut Page, queues: &[QueueFigures]) {
    let row =
        |q: &QueueFigures| Some((vec![q.queue.to_string(), q.visits.service_level_formula.clone()], q.visits.service_level?));
    let help = format!("{} Formulas: {}", of("visits.service_level"), of("visits.service_level_formula"));
    page.gauge("queue_service_level_ratio", &help, &["queue", "formula"], queues.iter().filter_map(row));
}

fn outcomes(q: &QueueFigures) -> Vec<(Vec<String>, u64)> {
    let v = &q.visits;
    let all = [
        ("answered", v.answered),
        ("abandoned", v.abandoned),
        ("overflowed", v.overflowed),
        ("timeout", v.timeout),
        ("no_agents", v.no_agents),
        ("key_exit", v.key_exit),
        ("callback", v.callback),
        ("voicemail", v.voicemail),
        ("system", v.system),
    ];
    all.into_iter().map(|(outcome, n)| (vec![q.queue.to_string(), outcome.to_string()], n)).collect()
}

fn quantiles(q: &QueueFigures) -> Vec<(Vec<String>, f64)> {
    let v = &q.visits;
    let all = [("0.5", v.wait_p50_ms), ("0.9", v.wait_p90_ms), ("0.99", v.wait_p99_ms)];
    all.into_iter().filter_map(|(p, ms)| Some((vec![q.queue.to_string(), p.to_string()], seconds(ms?)))).collect()
}

fn agents(page: &mut Page, figures: &Figures) {
    let by_state = figures.totals.agents_by_state.iter().map(|(state, n)| (vec![state.to_string()], *n as f64));
    page.gauge("agents", &of("totals.agents_by_state"), &["state"], by_state);
    let calls = figures.agents.iter().map(|a| (vec![a.agent.to_string()], a.calls));
    page.count("agent_calls_total", &of("agents.calls"), &["agent"], calls);
    let rona = figures.agents.iter().map(|a| (vec![a.agent.to_string()], a.rona));
    page.count("agent_rona_total", &of("agents.rona"), &["agent"], rona);
    let occupancy = figures.agents.iter().filter_map(|a| Some((vec![a.agent.to_string()], a.occupancy?)));
    page.gauge("agent_occupancy_ratio", &of("agents.occupancy"), &["agent"], occupancy);
}

fn recordings(page: &mut Page, figures: &Figures) {
    let r = &figures.recordings;
    page.count("recordings_expected_total", &of("recordings.expected"), &[], [(vec![], r.expected)]);
    let kept = [("complete", r.complete), ("partial", r.partial), ("failed", r.failed)];
    let help = "Ended conversations of today by what was kept of them.";
    page.count("recordings_total", help, &["kept"], kept.map(|(k, n)| (vec![k.to_string()], n)));
    page.gauge("recordings_open", &of("recordings.open"), &[], [(vec![], r.open as f64)]);
    page.gauge("recordings_missing", &of("recordings.missing"), &[], [(vec![], r.missing as f64)]);
    let excluded = r.excluded.iter().map(|(reason, n)| (vec![reason.clone()], *n));
    page.count("recordings_excluded_total", &of("recordings.excluded"), &["reason"], excluded);
    by_policy(page, &r.by_policy);
    page.gauge("recordings_accounted_ratio", &of("recordings.accounted"), &[], r.accounted.map(|a| (vec![], a)));
    page.gauge("recordings_coverage_ratio", &of("recordings.coverage"), &[], r.coverage.map(|c| (vec![], c)));
    page.count("recording_alarms_total", &of("recordings.alarms"), &[], [(vec![], r.alarms)]);
    page.gauge("recording_alarms", &of("recordings.alarms_now"), &[], [(vec![], r.alarms_now as f64)]);
}

/// Of each policy: what was expected, what was kept of it, what it left out, and the share that is complete.
fn by_policy(page: &mut Page, policies: &BTreeMap<String, OfPolicy>) {
    let help = of("recordings.by_policy");
    let name = |policy: &String| policy.clone();
    let expected = policies.iter().map(|(policy, sums)| (vec![name(policy)], sums.expected));
    page.count("policy_recordings_expected_total", &help, &["policy"], expected);
    let kept = policies.iter().flat_map(|(policy, sums)| {
        let kept = [("complete", sums.complete), ("partial", sums.partial), ("failed", sums.failed)];
        kept.map(|(kept, n)| (vec![kept.to_string(), name(policy)], n))
    });
    page.count("policy_recordings_total", &help, &["kept", "policy"], kept);
    let excluded = policies
        .iter()
        .flat_map(|(policy, sums)| sums.excluded.iter().map(|(reason, n)| (vec![name(policy), reason.clone()], *n)));
    page.count("policy_recordings_excluded_total", &help, &["policy", "reason"], excluded);
    let coverage = policies.iter().filter_map(|(policy, sums)| Some((vec![name(policy)], sums.coverage?)));
    page.gauge("policy_recordings_coverage_ratio", &help, &["policy"], coverage);
}

fn node(page: &mut Page, figures: &Figures, snapshot: &Snapshot) {
    page.count("log_events_total", &of("events"), &[], [(vec![], figures.events)]);
    page.gauge("log_epoch", &of("epoch"), &[], [(vec![], f64::from(figures.epoch))]);
    page.gauge("log_sequence", &of("seq"), &[], [(vec![], figures.seq as f64)]);
    let mut places: BTreeMap<String, f64> = BTreeMap::new();
    for call in &snapshot.calls {
        // Written as it serialises: snake case.
        let place = serde_json::to_value(call.place).ok().and_then(|v| v.as_str().map(str::to_string)).unwrap_or_default();
        *places.entry(place).or_default() += 1.0;
    }
    let places = places.into_iter().map(|(place, n)| (vec![place], n));
    page.gauge("engine_calls", "Calls in the engine at this moment, by where they are.", &["place"], places);
    page.gauge("engine_sessions", "Sessions of the SIP core; 0 when no call lives.", &[], [(vec![], snapshot.sessions as f64)]);
    page.gauge("engine_media_ports", "RTP ports in use; 0 when no call lives.", &[], [(vec![], snapshot.ports as f64)]);
    page.gauge("draining", "1 while no new calls are taken.", &[], [(vec![], f64::from(u8::from(snapshot.draining)))]);
}

fn health_of(page: &mut Page, health: &Health, up_seconds: f64) {
    page.count(
        "invariant_breaches_total",
        "Broken invariants that the live audit found since the start.",
        &[],
        [(vec![], health.breaches)],
    );
    page.gauge(
        "alarms",
        "Things a person should look at now; GET /api/v1/health names them.",
        &[],
        [(vec![], health.alarms.len() as f64)],
    );
    page.gauge("up_seconds", "Since the node's start.", &[], [(vec![], up_seconds)]);
    page.gauge("build_info", "The version that runs.", &["version"], [(vec![health.version.clone()], 1.0)]);
    for gauge in &health.gauges {
        page.gauge(gauge.name, gauge.help, &[], [(vec![], gauge.value)]);
    }
    health.histograms.iter().for_each(|histogram| page.histogram(histogram));
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// The definition as HELP. Every name used here is defined: a test looks.
fn of(name: &str) -> String {
    metrics::definition(name).map(|d| d.text.to_string()).unwrap_or_else(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gauge, Histogram};
    use metrics::{Callbacks, ExpectedWait, Transfers};

    fn queue() -> QueueFigures {
        let visits = Visits {
            offered: 5,
            answered: 3,
            abandoned: 1,
            waiting: 1,
            service_level: Some(0.75),
            service_level_formula: "short_excluded".into(),
            asa_ms: Some(1500),
            wait_p90_ms: Some(2000),
            ..Visits::default()
        };
        let callbacks = Callbacks { requested: 2, waiting: 1, connected: 1, attempts: 3, ..Callbacks::default() };
        let expected_wait = ExpectedWait { p90_coverage: Some(0.91), rms_error_ms: Some(4500), ..ExpectedWait::default() };
        let transfers = Transfers { attended: 2, rate: Some(0.5), ..Transfers::default() };
        let dispositions = BTreeMap::from([("resuelto".to_string(), 3)]);
        let nothing = QueueFigures::nothing("acme/soporte".parse().unwrap());
        QueueFigures {
            waiting_now: 1,
            longest_wait_ms: 2500,
            callbacks,
            expected_wait,
            transfers,
            dispositions,
            visits,
            ..nothing
        }
    }

    fn page() -> String {
        let mos_received = metrics::Distribution { buckets: vec![(3.6, 1), (4.03, 3)], count: 4, sum: 16.3 };
        let quality = metrics::Quality { legs: 4, mos_received, ..metrics::Quality::default() };
        let figures = Figures { queues: vec![queue()], events: 9, quality, ..Figures::default() };
        let health = Health {
            version: "0.1 \"x\"\n".into(),
            breaches: 2,
            gauges: vec![Gauge { name: "log_bytes", help: "Size of the log.", value: 1024.0 }],
            histograms: vec![Histogram {
                name: "audit_seconds",
                help: "An audit's time.",
                buckets: vec![(0.001, 3), (0.01, 4)],
                count: 5,
                sum: 0.25,
            }],
            ..Health::default()
        };
        text(&figures, &Snapshot::default(), &health, 7.5)
    }

    /// Each line is a comment or `name{labels} value`, and each sample's family was announced.
    #[test]
    fn the_page_reads_as_prometheus_reads_it() {
        let page = page();
        let mut announced = String::new();
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                announced = rest.split(' ').next().unwrap().to_string();
                assert!(matches!(rest.split(' ').nth(1), Some("gauge" | "counter" | "histogram")), "{line}");
            } else if !line.starts_with("# HELP ") {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
                let family = series.split('{').next().unwrap().strip_prefix(&announced);
                assert!(matches!(family, Some("" | "_bucket" | "_sum" | "_count")), "{line}");
                assert!(announced.starts_with("centralita_"));
            }
        }
        assert!(page.contains("centralita_queue_offered_total{queue=\"acme/soporte\"} 5\n"), "{page}");
        assert!(page.contains("centralita_queue_visits_total{outcome=\"answered\",queue=\"acme/soporte\"} 3\n"));
        assert!(page.contains("centralita_queue_longest_wait_seconds{queue=\"acme/soporte\"} 2.5\n"));
        assert!(page.contains("centralita_queue_service_level_ratio{formula=\"short_excluded\",queue=\"acme/soporte\"} 0.75\n"));
        assert!(page.contains("centralita_queue_wait_seconds{quantile=\"0.9\",queue=\"acme/soporte\"} 2\n"));
        assert!(page.contains("centralita_queue_callbacks_total{end=\"connected\",queue=\"acme/soporte\"} 1\n"));
        assert!(page.contains("centralita_queue_expected_wait_coverage_ratio{quantile=\"0.9\",queue=\"acme/soporte\"} 0.91\n"));
        assert!(page.contains("centralita_queue_expected_wait_rms_error_seconds{queue=\"acme/soporte\"} 4.5\n"));
        assert!(page.contains("centralita_queue_transfers_total{kind=\"attended\",queue=\"acme/soporte\"} 2\n"));
        assert!(page.contains("centralita_queue_transfer_ratio{queue=\"acme/soporte\"} 0.5\n"));
        assert!(page.contains("centralita_queue_dispositions_total{code=\"resuelto\",queue=\"acme/soporte\"} 3\n"));
        assert!(page.contains("centralita_legs_total 4\n"));
        assert!(page.contains("centralita_leg_mos_received_bucket{le=\"3.6\"} 1\n"), "{page}");
        assert!(page.contains("centralita_leg_mos_received_count 4\n"));
        assert!(page.contains("centralita_invariant_breaches_total 2\n"));
        assert!(page.contains("centralita_log_bytes 1024\n"));
        assert!(page.contains("centralita_audit_seconds_bucket{le=\"0.01\"} 4\n"), "{page}");
        assert!(page.contains("centralita_audit_seconds_bucket{le=\"+Inf\"} 5\n"));
        assert!(page.contains("centralita_audit_seconds_sum 0.25\ncentralita_audit_seconds_count 5\n"));
        assert!(page.contains("version=\"0.1 \\\"x\\\"\\n\""));
    }

    #[test]
    fn what_has_no_value_has_no_line() {
        let page = page();
        assert!(!page.contains("aht_seconds"));
        assert!(!page.contains("recordings_coverage"));
    }

    #[test]
    fn coverage_is_exported_for_each_policy() {
        let excluded = [("consent_refused".to_string(), 2)].into();
        let of_policy = OfPolicy { expected: 3, complete: 3, excluded, coverage: Some(1.0), ..OfPolicy::default() };
        let by_policy = [("tenant acme: all".to_string(), of_policy)].into();
        let recordings = metrics::Recordings { by_policy, ..metrics::Recordings::default() };
        let figures = Figures { recordings, ..Figures::default() };
        let page = text(&figures, &Snapshot::default(), &Health::default(), 1.0);
        let policy = "policy=\"tenant acme: all\"";
        for line in [
            format!("centralita_policy_recordings_expected_total{{{policy}}} 3\n"),
            format!("centralita_policy_recordings_total{{kept=\"complete\",{policy}}} 3\n"),
            format!("centralita_policy_recordings_excluded_total{{{policy},reason=\"consent_refused\"}} 2\n"),
            format!("centralita_policy_recordings_coverage_ratio{{{policy}}} 1\n"),
        ] {
            assert!(page.contains(&line), "{line}: {page}");
        }
    }

    #[test]
    fn every_help_is_a_definition() {
        // A name that `metrics` does not define would stand as its own help.
        for line in page().lines().filter(|l| l.starts_with("# HELP ")) {
            let help = line.splitn(4, ' ').nth(3).unwrap();
            assert!(help.contains(' '), "{line}");
        }
    }
}
