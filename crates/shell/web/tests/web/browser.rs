//! The wallboard in a real browser.

use crate::driver::{Browser, PHONE, TELEVISION};
use crate::fakes::{Fake, HOSTILE};

const VALUE: &str = "document.querySelector('#totals .value').textContent";

#[tokio::test]
async fn figures_pushed_after_the_page_loaded_are_on_the_screen() {
    let fake = Fake::new();
    let served = fake.serve_at("127.0.0.1:0".parse().unwrap(), None, "Acme Soporte").await;
    let browser = Browser::open(TELEVISION, "es").await;
    browser.go(&format!("http://{}/", served.address)).await;
    browser.until(&format!("{VALUE} === '6'")).await;
    browser.picture("wallboard-television-light.png").await;
    browser.eval("document.getElementById('theme').click()").await;
    browser.picture("wallboard-television.png").await;
    fake.publish(|f| {
        f.totals.waiting_now = 57;
        f.agents[1].state = base::AgentState::Talking;
    });
    browser.until(&format!("{VALUE} === '57'")).await;
    browser.until("document.querySelector('[data-agent=\"acme/beatriz\"] .state').textContent === 'Hablando'").await;
    // Waits and times in state go on between two boards.
    browser.until("document.querySelector('[data-agent=\"acme/ana\"] .time').textContent >= '3:06'").await;
    // A queue without an offer shows no share, and every share names its formula.
    let empty =
        browser.eval("document.querySelector('[data-queue=\"globex/billing\"] [data-label=service_level]').innerText").await;
    let empty = empty.as_str().unwrap();
    assert!(empty.contains('–') && empty.contains("short_excluded") && !empty.contains('%'), "{empty}");
    let low =
        browser.eval("document.querySelector('[data-queue=\"globex/soporte\"] [data-label=service_level]').dataset.level").await;
    assert_eq!(low, "bad");
    let sums = browser.eval("[...document.querySelectorAll('.verdict')].map(v => v.textContent)").await;
    assert_eq!(sums, serde_json::json!(["cuadra", "cuadra"]));
}

#[tokio::test]
async fn a_hostile_name_is_text_and_nothing_else() {
    let fake = Fake::new();
    fake.publish(|f| f.agents[3].reason = Some(HOSTILE.into()));
    fake.archive.names.lock().unwrap().insert("diego".into(), HOSTILE.into());
    let served = fake.serve_at("127.0.0.1:0".parse().unwrap(), None, HOSTILE).await;
    let browser = Browser::open(TELEVISION, "en").await;
    browser.go(&format!("http://{}/", served.address)).await;
    browser.until(&format!("{VALUE} === '6'")).await;
    let site = browser.eval("document.getElementById('site').textContent").await;
    assert_eq!(site, HOSTILE);
    let reason = browser.eval("document.querySelector('[data-agent=\"acme/diego\"] .state').textContent").await;
    assert!(reason.as_str().unwrap().ends_with(HOSTILE));
    assert_eq!(browser.eval("document.querySelector('[data-agent=\"acme/diego\"] .name').textContent").await, HOSTILE);
    assert_eq!(browser.eval("document.querySelectorAll('main script, main img, h1 img, h1 script').length").await, 0);
    assert_ne!(browser.eval("document.title").await, "owned");
}

#[tokio::test]
async fn an_agent_in_a_call_of_their_own_is_told_from_one_who_talks_with_a_customer() {
    let fake = Fake::new();
    fake.publish(|f| f.agents[9].reason = Some("outbound".into()));
    let served = fake.serve(None).await;
    let browser = Browser::open(TELEVISION, "es").await;
    browser.go(&format!("http://{}/", served.address)).await;
    browser
        .until("document.querySelector('[data-agent=\"acme/joao\"] .state').textContent === 'Llamada propia · saliente'")
        .await;
    let chip = browser.eval("document.querySelector('#agents .states [data-state=engaged]').innerText").await;
    assert!(chip.as_str().unwrap().contains("Llamada propia"), "{chip}");
    let icon = browser.eval("document.querySelector('[data-agent=\"acme/joao\"] .icon use').getAttribute('href')").await;
    assert_eq!(icon, "#s-engaged");
}

#[tokio::test]
async fn a_lost_link_is_told_and_comes_back_by_itself() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let address = served.address;
    let browser = Browser::open(PHONE, "pt-BR").await;
    browser.go(&format!("http://{address}/")).await;
    browser.until("document.body.dataset.link === 'live' && document.getElementById('banner').hidden").await;
    served.stop().await.unwrap();
    browser.until("!document.getElementById('banner').hidden && document.getElementById('banner').textContent.startsWith('Sem conexão')").await;
    assert_eq!(browser.eval(VALUE).await, "6", "the last figures stay");
    browser.picture("wallboard-lost.png").await;
    fake.publish(|f| f.totals.waiting_now = 8);
    let _served = fake.serve_at(address, None, "Acme").await;
    browser.until(&format!("document.getElementById('banner').hidden && {VALUE} === '8'")).await;
}

#[tokio::test]
async fn a_token_is_asked_for_and_one_in_the_address_leaves_it() {
    let fake = Fake::new();
    let served = fake.serve(Some("sesame")).await;
    let browser = Browser::open(PHONE, "fr").await;
    browser.go(&format!("http://{}/", served.address)).await;
    browser.until("document.getElementById('ask').open && document.activeElement.id === 'token'").await;
    browser.keys("wrong\u{e007}").await;
    browser
        .until("document.getElementById('ask').open && document.getElementById('ask-why').textContent.includes('refusée')")
        .await;
    browser.keys("sesame\u{e007}").await;
    browser.until(&format!("!document.getElementById('ask').open && {VALUE} === '6'")).await;
    for mark in ["#", "?"] {
        browser.go("about:blank").await;
        browser.go(&format!("http://{}/{mark}token=sesame", served.address)).await;
        browser.until(&format!("{VALUE} === '6' && !location.href.includes('sesame')")).await;
    }
}

#[tokio::test]
async fn the_keyboard_reaches_a_figure_and_its_definition() {
    let fake = Fake::new();
    let served = fake.serve_at("127.0.0.1:0".parse().unwrap(), None, "Acme Support").await;
    let browser = Browser::open(TELEVISION, "en").await;
    browser.go(&format!("http://{}/", served.address)).await;
    browser.until(&format!("{VALUE} === '6'")).await;
    browser.eval("document.getElementById('full').focus()").await;
    browser.keys("\u{e004}").await;
    browser.until("!document.getElementById('tip').hidden && document.activeElement.dataset.def === 'totals.waiting_now'").await;
    browser.until("document.querySelector('#tip .what').textContent.startsWith('Visits waiting at this moment')").await;
    browser.picture("wallboard-definition.png").await;
    browser.keys("\u{e00c}").await;
    browser.until("document.getElementById('tip').hidden").await;
    let named = "[...document.querySelectorAll('button, select, input')].every(e => (e.innerText || e.ariaLabel || e.labels?.[0]?.textContent || '').trim())";
    assert_eq!(browser.eval(named).await, true, "every control has a name");
}

#[tokio::test]
async fn every_figure_on_the_page_is_defined_by_the_node_and_told_in_each_language() {
    let fake = Fake::new();
    let served = fake.serve(None).await;
    let browser = Browser::open(TELEVISION, "en").await;
    browser.go(&format!("http://{}/", served.address)).await;
    browser.until(&format!("{VALUE} === '6'")).await;
    let used = browser.eval("[...new Set([...document.querySelectorAll('[data-def]')].map(e => e.dataset.def))]").await;
    let used: Vec<&str> = used.as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    assert!(used.len() > 25, "{used:?}");
    for name in used {
        assert!(metrics::definition(name).is_some(), "{name} is shown and not defined");
        let told = format!("import('/meanings.js').then(m => ['es', 'pt', 'fr'].filter(l => !m.MEANINGS[l][{name:?}]).join())");
        assert_eq!(browser.eval(&told).await, "", "{name} is not told in these languages");
    }
    let words = "import('/words.js').then(m => Object.values(m.WORDS).map(w => Object.keys(w).join()).every((k, _, all) => k === all[0]))";
    assert_eq!(browser.eval(words).await, true, "each language has the same texts");
}

#[tokio::test]
async fn a_phone_shows_it_all_without_scrolling_sideways() {
    let fake = Fake::new();
    let served = fake.serve_at("127.0.0.1:0".parse().unwrap(), None, "Acme Soporte").await;
    let browser = Browser::open(PHONE, "es").await;
    browser.go(&format!("http://{}/", served.address)).await;
    browser.until(&format!("{VALUE} === '6'")).await;
    browser.picture("wallboard-phone.png").await;
    for lang in ["es", "en", "pt", "fr"] {
        let change = format!(
            "(s => {{ s.value = '{lang}'; s.dispatchEvent(new Event('change')); return document.documentElement.lang; }})(document.getElementById('lang'))"
        );
        assert_eq!(browser.eval(&change).await, lang);
        assert_eq!(browser.eval("document.documentElement.scrollWidth <= innerWidth").await, true, "{lang}");
        let missing =
            browser.eval("[...document.querySelectorAll('[data-word]')].filter(e => e.textContent.includes('_')).length").await;
        assert_eq!(missing, 0, "every text is there in {lang}");
    }
    browser.eval("document.getElementById('theme').click()").await;
    browser.eval("scrollTo(0, document.getElementById('queues').offsetTop)").await;
    browser.picture("wallboard-phone-dark.png").await;
    browser.eval("scrollTo(0, document.getElementById('agents').offsetTop)").await;
    browser.picture("wallboard-phone-agents.png").await;
    browser.eval("scrollTo(0, document.getElementById('day').offsetTop)").await;
    browser.picture("wallboard-phone-day.png").await;
}
