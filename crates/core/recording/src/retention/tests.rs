use super::*;
use proptest::prelude::*;

const NOW: Wall = Wall(1_800_000_000_000_000);

fn days(days: u32) -> Duration {
    DAY * days
}

fn ago(age: Duration) -> Wall {
    Wall(NOW.0 - age.as_micros() as i64)
}

/// So many days old, of 100 bytes.
fn row(n: u32, tenant: &str, queue: &str, age: u32) -> Row {
    Row {
        recording: format!("1-1-{n}.c1.p1").parse().unwrap(),
        tenant: Some(tenant.parse().unwrap()),
        queue: Some(format!("{tenant}/{queue}").parse().unwrap()),
        agent: Some(format!("{tenant}/ana").parse().unwrap()),
        party: Some(PartyId(u64::from(n % 3))),
        started: ago(days(age)),
        bytes: 100,
    }
}

fn span(minimum: u32, maximum: u32) -> Span {
    Span { minimum: (minimum > 0).then(|| days(minimum)), maximum: (maximum > 0).then(|| days(maximum)) }
}

fn plan(policy: &Policy, holds: &Holds, rows: &[Row]) -> (Vec<Fate>, Plan) {
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| (row.started, row.recording));
    let mut planner = Planner::new(NOW, policy, holds);
    rows.iter().for_each(|row| planner.see(row));
    let fates = rows.iter().map(|row| planner.decide(row)).collect();
    (fates, planner.finish())
}

fn held(selector: &str) -> Held {
    Held { selector: selector.parse().unwrap(), at: String::new(), who: "ana".into(), why: "a court".into() }
}

const MAXIMUM: Fate = Fate::Delete(Cause::Maximum);
const BUDGET: Fate = Fate::Delete(Cause::Budget);
const TENANT: Fate = Fate::Delete(Cause::TenantBudget);

fn kept(maximum: u32, age: u32) -> Fate {
    Fate::Kept { until: (maximum > 0).then(|| ago(days(age)).plus(days(maximum))) }
}

#[test]
fn a_queue_says_before_its_tenant_and_a_tenant_before_the_site() {
    let mut policy = Policy { span: span(10, 90), ..Policy::default() };
    policy.tenants.insert("acme".parse().unwrap(), (span(0, 30), None));
    policy.queues.insert("acme/short".parse().unwrap(), span(1, 5));
    let rows = [row(1, "acme", "a", 31), row(2, "acme", "a", 29), row(3, "acme", "short", 6), row(4, "globex", "a", 89)];
    let (fates, plan) = plan(&policy, &Holds::default(), &rows);
    assert_eq!(fates, [kept(90, 89), MAXIMUM, kept(30, 29), MAXIMUM]);
    assert_eq!(plan.delete, [(Cause::Maximum, Sum { recordings: 2, bytes: 200 })].into());
    assert_eq!(plan.due, [(1, Sum { recordings: 2, bytes: 200 })].into());
    assert_eq!(policy.span(None, None), span(10, 90));
    assert!(policy.deletes() && !Policy { span: span(10, 0), ..Policy::default() }.deletes());
}

#[test]
fn a_budget_takes_the_oldest_beyond_their_minimum_and_no_more_than_it_must() {
    let policy = Policy { span: span(5, 0), budget: Some(250), ..Policy::default() };
    let rows = [row(1, "acme", "a", 9), row(2, "acme", "a", 8), row(3, "acme", "a", 7), row(4, "acme", "a", 1)];
    assert_eq!(plan(&policy, &Holds::default(), &rows).0, [BUDGET, BUDGET, kept(0, 7), kept(0, 1)]);
    // A younger one that is past its maximum makes room for an older one without any.
    let mut policy = policy;
    policy.queues.insert("acme/short".parse().unwrap(), span(1, 6));
    let rows = [row(1, "acme", "a", 9), row(2, "acme", "a", 8), row(3, "acme", "short", 7)];
    assert_eq!(plan(&policy, &Holds::default(), &rows).0, [kept(0, 9), kept(0, 8), MAXIMUM]);
}

#[test]
fn a_tenants_budget_takes_of_that_tenant_alone() {
    let mut policy = Policy { budget: Some(300), ..Policy::default() };
    policy.tenants.insert("acme".parse().unwrap(), (Span::default(), Some(100)));
    let rows = [row(1, "globex", "a", 9), row(2, "acme", "a", 8), row(3, "acme", "a", 7), row(4, "globex", "a", 6)];
    assert_eq!(plan(&policy, &Holds::default(), &rows).0, [kept(0, 9), TENANT, kept(0, 7), kept(0, 6)]);
    policy.budget = Some(299);
    assert_eq!(plan(&policy, &Holds::default(), &rows).0, [BUDGET, TENANT, kept(0, 7), kept(0, 6)]);
}

#[test]
fn what_the_minimum_forbids_is_missing_and_told_with_the_moment_of_the_next() {
    let policy = Policy { span: span(10, 0), budget: Some(50), ..Policy::default() };
    let rows = [row(1, "acme", "a", 9), row(2, "acme", "a", 1)];
    let (fates, plan_) = plan(&policy, &Holds::default(), &rows);
    assert_eq!(fates, [kept(0, 9), kept(0, 1)]);
    assert_eq!(plan_.short, [Short { tenant: None, missing_bytes: 150, next: Some(NOW.plus(DAY)) }]);
    let mut holds = Holds::default();
    holds.set(1, held("tenant=acme"));
    assert_eq!(plan(&policy, &holds, &rows).1.short, [Short { tenant: None, missing_bytes: 150, next: None }]);
}

#[test]
fn nothing_deletes_what_is_held_until_it_is_released() {
    let policy = Policy { span: span(0, 5), budget: Some(1), ..Policy::default() };
    let rows = [row(1, "acme", "a", 9), row(2, "acme", "b", 8), row(3, "globex", "a", 7)];
    let table = [
        ("1-1-1.c1.p1", [true, false, false]),
        ("queue=acme/b", [false, true, false]),
        ("tenant=acme", [true, true, false]),
        ("agent=globex/ana", [false, false, true]),
        ("party=0000000000000001 party=0000000000000000", [true, false, true]),
        ("from=2027-01-06T00:00:00Z to=2027-01-08T00:00:00Z tenant=acme", [true, true, false]),
    ];
    for (text, expected) in table {
        let mut holds = Holds::default();
        holds.set(7, held(text));
        let (fates, plan_) = plan(&policy, &holds, &rows);
        assert_eq!(fates, expected.map(|held| if held { Fate::Held(7) } else { MAXIMUM }), "{text}");
        let count = expected.iter().filter(|held| **held).count() as u64;
        assert_eq!((plan_.held.recordings, plan_.overdue.recordings), (count, count), "{text}");
        assert!(holds.release(7).is_some() && holds.release(7).is_none());
        assert_eq!(plan(&policy, &holds, &rows).0, [MAXIMUM; 3], "{text}");
    }
}

#[test]
fn a_selector_is_its_text_and_one_that_selects_everything_is_none() {
    for text in ["1-3-42.c1.p1", "tenant=acme queue=acme/soporte agent=acme/ana party=00ff00ff00ff00ff"] {
        assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
    }
    let timed = "from=2026-10-01".parse::<Selector>().unwrap();
    assert_eq!(timed.to_string(), "from=2026-10-01T00:00:00.000000Z");
    assert_eq!(timed.to_string().parse(), Ok(timed));
    assert_eq!("".parse::<Selector>(), Err(BadSelector::Empty));
    for bad in ["everything", "queue=soporte", "color=red", "from=yesterday", "party=5215550001"] {
        assert!(bad.parse::<Selector>().is_err(), "{bad}");
    }
}

#[test]
fn the_forecast_says_when_a_budget_is_reached_and_that_a_maximum_keeps_it_from_that() {
    // 100 bytes a day for ten days.
    let rows: Vec<Row> = (0..10).map(|n| row(n, "acme", "a", n)).collect();
    let policy = Policy { budget: Some(3_000), ..Policy::default() };
    let forecast = plan(&policy, &Holds::default(), &rows).1.forecasts.remove(0);
    assert_eq!((forecast.bytes, forecast.bytes_per_day, forecast.drawn_from), (1_000, Some(100), days(7)));
    assert_eq!(forecast.full, Some(NOW.plus(days(21))), "2,000 more, and the one that passes it");
    assert_eq!(forecast.reaches(NOW, 450), Some(NOW.plus(days(5))));
    let policy = Policy { span: span(0, 20), budget: Some(3_000), ..Policy::default() };
    let forecast = plan(&policy, &Holds::default(), &rows).1.forecasts.remove(0);
    assert_eq!((forecast.full, *forecast.ahead.iter().max().unwrap()), (None, 2_100));
    assert_eq!(*forecast.ahead.last().unwrap(), 2_000, "what comes from now on goes in its turn");
    assert_eq!(forecast.reaches(NOW, 100_000), None);
}

#[test]
fn a_morning_says_nothing_of_what_a_day_brings() {
    let plan_of = |age: Duration| {
        let rows = [Row { started: ago(age), ..row(1, "acme", "a", 0) }, row(2, "acme", "a", 0)];
        let plan = plan(&Policy { budget: Some(500), ..Policy::default() }, &Holds::default(), &rows).1;
        assert!(plan.deletes);
        plan.forecasts.into_iter().next().unwrap()
    };
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    let morning = plan_of(hours(11));
    assert_eq!((morning.bytes_per_day, morning.drawn_from, morning.full), (None, hours(11), None));
    assert_eq!(morning.reaches(NOW, 1), None);
    assert_eq!(plan_of(hours(12)).bytes_per_day, Some(200), "as if no more came on that day");
    assert_eq!(plan_of(hours(48)).bytes_per_day, Some(100));
    assert!(!plan(&Policy { span: span(10, 0), ..Policy::default() }, &Holds::default(), &[]).1.deletes);
}

prop_compose! {
    fn any_row()(n in 0..10_000u32, tenant in 0..3usize, queue in 0..2usize, age in 0..60u32, bytes in 0..500u64) -> Row {
        Row { bytes, ..row(n, ["acme", "globex", "initech"][tenant], ["a", "b"][queue], age) }
    }
}

prop_compose! {
    fn any_span()(minimum in 0..40u32, more in 0..40u32, has: bool) -> Span {
        span(minimum, if has { minimum + more } else { 0 })
    }
}

prop_compose! {
    fn any_policy()(
        site in any_span(),
        acme in any_span(),
        queue in any_span(),
        budget in prop::option::of(0..4_000u64),
        tenant_budget in prop::option::of(0..2_000u64),
    ) -> Policy {
        let mut policy = Policy { span: site, budget, ..Policy::default() };
        policy.tenants.insert("acme".parse().unwrap(), (acme.or(site), tenant_budget));
        policy.queues.insert("globex/b".parse().unwrap(), queue);
        policy
    }
}

fn any_holds() -> impl Strategy<Value = Holds> {
    let one = prop_oneof![Just("tenant=acme"), Just("queue=globex/b"), Just("party=0000000000000002"), Just("agent=initech/ana")];
    prop::collection::vec(one, 0..3).prop_map(|texts| {
        let mut holds = Holds::default();
        (1..).zip(texts).for_each(|(n, text)| holds.set(n, held(text)));
        holds
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn whatever_the_rows_the_plan_keeps_its_promises(
        rows in prop::collection::btree_map(any::<u16>(), any_row(), 0..60),
        policy in any_policy(),
        holds in any_holds(),
    ) {
        let mut rows: Vec<Row> = rows.into_values().collect();
        rows.sort_by_key(|row| (row.started, row.recording));
        rows.dedup_by_key(|row| row.recording);
        let (fates, first) = plan(&policy, &holds, &rows);
        prop_assert_eq!(&plan(&policy, &holds, &rows), &(fates.clone(), first.clone()), "the same rows, the same plan");
        let mut left = vec![];
        for (row, fate) in rows.iter().zip(&fates) {
            let span = policy.span(row.tenant.as_ref(), row.queue.as_ref());
            let age = NOW.since(row.started);
            match fate {
                Fate::Delete(cause) => {
                    prop_assert!(holds.of(row).is_none());
                    prop_assert!(age >= span.minimum.unwrap_or_default());
                    prop_assert!(*cause != Cause::Maximum || Some(age) >= span.maximum);
                }
                Fate::Held(n) => prop_assert!(holds.get(*n).unwrap().selector.selects(row)),
                Fate::Kept { .. } => prop_assert!(span.maximum.is_none_or(|maximum| age < maximum)),
            }
            if !matches!(fate, Fate::Delete(_)) {
                left.push(row.clone());
            }
        }
        let (after, second) = plan(&policy, &holds, &left);
        prop_assert!(!after.iter().any(|fate| matches!(fate, Fate::Delete(_))), "carried out, nothing is left to do");
        prop_assert_eq!(&second.short, &first.short);
        let bytes: u64 = left.iter().map(|row| row.bytes).sum();
        if let Some(budget) = policy.budget {
            let free = |row: &&Row| holds.of(row).is_none()
                && row.started.plus(policy.span(row.tenant.as_ref(), row.queue.as_ref()).minimum.unwrap_or_default()) <= NOW;
            prop_assert!(bytes <= budget || !left.iter().any(|row| free(&row) && row.bytes > 0), "it is kept if it can be");
            let missing = first.short.iter().find(|short| short.tenant.is_none()).map_or(0, |short| short.missing_bytes);
            prop_assert_eq!(missing, bytes.saturating_sub(budget));
        }
    }

    #[test]
    fn any_text_is_read_as_a_selector_without_harm(text: String) {
        if let Ok(selector) = text.parse::<Selector>() {
            prop_assert_eq!(selector.to_string().parse(), Ok(selector));
        }
    }
}
