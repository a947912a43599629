//! The loop between the outbox machine, the rows and the receivers.

use crate::OutboundError;
use crate::post::Receiver;
use base::Now;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tickets::{Answer, Input, Outbox, Output, Progress, Rows, Webhook};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};

/// New rows are looked for at least this often; [`Sender::wake`] makes it at once.
const LOOK_EACH: Duration = Duration::from_secs(1);

/// What the wiring decides.
pub struct Options {
    /// Receivers by the name that stands in the rows' `destination`.
    pub webhooks: Vec<(String, Webhook)>,
    pub rows: Arc<dyn Rows>,
    pub clock: Arc<dyn Fn() -> Now + Send + Sync>,
    /// For the jitter of the retries.
    pub seed: u64,
}

/// The task that sends.
pub struct Sender {
    wake: Arc<Notify>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Sender {
    /// Begins to send, on the runtime that it is called on.
    pub fn start(options: Options) -> Result<Sender, OutboundError> {
        let Options { webhooks, rows, clock, seed } = options;
        let mut receivers = BTreeMap::new();
        for (name, webhook) in webhooks {
            let receiver = Receiver::new(&name, &webhook)?;
            receivers.insert(name, Arc::new(receiver));
        }
        let (wake, (stop, stopped)) = (Arc::new(Notify::new()), watch::channel(false));
        let sending = Sending {
            outbox: Outbox::new(seed),
            receivers,
            rows,
            clock,
            destinations: BTreeMap::new(),
            unsaved: BTreeMap::new(),
            on_the_way: JoinSet::new(),
        };
        let task = tokio::spawn(sending.run(wake.clone(), stopped));
        Ok(Sender { wake, stop, task })
    }

    /// Something new is in the outbox. From any thread.
    pub fn waker(&self) -> impl Fn() + Send + Sync + 'static {
        let wake = self.wake.clone();
        move || wake.notify_one()
    }

    /// Sends nothing new, waits for the answers to what is on its way (at most their 15 s), and ends.
    pub async fn stop(self) {
        // Only a task that has ended hears nothing.
        let _ = self.stop.send(true);
        if self.task.await.is_err() {
            tracing::error!("the task of the outbox panicked");
        }
    }
}

struct Sending {
    outbox: Outbox,
    receivers: BTreeMap<String, Arc<Receiver>>,
    rows: Arc<dyn Rows>,
    clock: Arc<dyn Fn() -> Now + Send + Sync>,
    /// Where each row that is held goes.
    destinations: BTreeMap<u64, String>,
    /// What could not be saved: such a row still looks waiting, and must not be sent again for that.
    unsaved: BTreeMap<u64, Progress>,
    on_the_way: JoinSet<(u64, Answer)>,
}

impl Sending {
    async fn run(mut self, wake: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            self.look().await;
            let pause = self.pause();
            tokio::select! {
                Some(answered) = self.on_the_way.join_next() => self.on_answered(answered).await,
                () = wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stopped.changed() => {}
            }
        }
        while let Some(answered) = self.on_the_way.join_next().await {
            if let Ok((id, answer)) = answered {
                let mut out = Vec::new();
                self.outbox.handle((self.clock)(), Input::Answered { id, answer }, &mut out);
                // Nothing new is sent any more: such a row stays waiting.
                self.save_all(&out).await;
            }
        }
    }

    fn pause(&self) -> Duration {
        let now = (self.clock)().mono;
        self.outbox.deadline().map_or(LOOK_EACH, |at| at.since(now)).clamp(Duration::from_millis(1), LOOK_EACH)
    }

    /// Hands the machine what waits in the rows, and lets it act on what is due.
    async fn look(&mut self) {
        let unsaved = std::mem::take(&mut self.unsaved);
        for (id, progress) in unsaved {
            self.save(id, progress).await;
        }
        let (rows, now, room) = (self.rows.clone(), (self.clock)(), self.outbox.room());
        let held = self.destinations.len();
        let waiting = spawn_blocking(move || rows.waiting(now.wall, room + held)).await;
        let waiting = match waiting {
            Ok(Ok(waiting)) => waiting,
            Ok(Err(error)) => return tracing::error!(error, "the outbox cannot be read"),
            Err(error) => return tracing::error!(%error, "the outbox cannot be read"),
        };
        let mut out = Vec::new();
        // The rows say how long from `now` each waits: they are handed over as of that moment.
        for delivery in waiting {
            let known = self.receivers.contains_key(&delivery.destination) && !self.unsaved.contains_key(&delivery.id);
            if known && self.outbox.room() > 0 {
                self.destinations.insert(delivery.id, delivery.destination.clone());
                self.outbox.handle(now, Input::Add(delivery), &mut out);
            }
        }
        self.outbox.handle((self.clock)(), Input::Due, &mut out);
        self.carry_out(out).await;
    }

    async fn on_answered(&mut self, answered: Result<(u64, Answer), tokio::task::JoinError>) {
        match answered {
            Ok((id, answer)) => {
                let mut out = Vec::new();
                self.outbox.handle((self.clock)(), Input::Answered { id, answer }, &mut out);
                self.carry_out(out).await;
            }
            // The machine goes on waiting for this answer; the row is sent again after the next start.
            Err(error) => tracing::error!(%error, "an attempt of the outbox panicked"),
        }
    }

    async fn carry_out(&mut self, out: Vec<Output>) {
        self.save_all(&out).await;
        for output in out {
            if let Output::Send { id } = output {
                self.send(id);
            }
        }
    }

    fn send(&mut self, id: u64) {
        let receiver = self.destinations.get(&id).and_then(|name| self.receivers.get(name)).cloned();
        let (rows, clock) = (self.rows.clone(), self.clock.clone());
        self.on_the_way.spawn(async move {
            let why = match (spawn_blocking(move || rows.letter(id)).await, receiver) {
                (Ok(Ok(Some(letter))), Some(receiver)) => return (id, receiver.post(&letter, clock().wall).await),
                (Ok(Err(error)), _) => error,
                _ => "the row is gone".into(),
            };
            (id, Answer::NoAnswer { why })
        });
    }

    async fn save_all(&mut self, out: &[Output]) {
        for output in out {
            if let Output::Save { id, progress } = output {
                self.report(*id, progress);
                self.save(*id, progress.clone()).await;
            }
        }
    }

    async fn save(&mut self, id: u64, progress: Progress) {
        let (rows, now, kept) = (self.rows.clone(), (self.clock)().wall, progress.clone());
        let saved = spawn_blocking(move || rows.save(now, id, &progress)).await;
        if let Ok(Ok(())) = saved {
            return;
        }
        tracing::error!(row = id, "the outbox cannot be written: it is tried again");
        self.unsaved.insert(id, kept);
    }

    fn report(&mut self, id: u64, progress: &Progress) {
        use tickets::Fate::*;
        let destination = self.destinations.get(&id).map_or("?", String::as_str);
        let (attempts, last) = (progress.attempts, &progress.last);
        match progress.fate {
            Done => tracing::debug!(row = id, destination, attempts, "delivered"),
            Waiting => tracing::warn!(row = id, destination, attempts, last, again_in = ?progress.due_in, "not delivered"),
            Dead => tracing::error!(row = id, destination, attempts, last, "given up: replay it by hand"),
        }
        if progress.fate != Waiting {
            self.destinations.remove(&id);
        }
    }
}
