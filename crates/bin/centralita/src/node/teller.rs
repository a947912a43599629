//! Tells others what the decision thread did: answers, and that there is something new to see. To wake a task of the
//! async runtime takes locks that its threads share, so it is done here, on a thread of its own.

use engine::Reply;
use shell_handoff::{Taken, Taker, Way, way};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};

/// What may wait to be told; beyond it an answer is dropped, and whoever waits for it is told that it does not come.
const ROOM: usize = 1_024;
const BATCH: usize = 64;

pub enum Told {
    Answer(oneshot::Sender<Reply>, Reply),
    Done(oneshot::Sender<()>),
    /// There is a new snapshot.
    Changed,
}

/// The decision thread's end.
pub struct Teller {
    way: Way<Told>,
    thread: Option<JoinHandle<()>>,
}

impl Teller {
    pub fn start(changed: Arc<watch::Sender<u64>>) -> std::io::Result<Teller> {
        let (way, told) = way(ROOM);
        let thread = std::thread::Builder::new().name("tell".into()).spawn(move || run(&told, &changed))?;
        Ok(Teller { way, thread: Some(thread) })
    }

    /// In the order of the calls.
    pub fn tell(&self, what: Told) {
        let _ = self.way.push(what);
    }
}

impl Drop for Teller {
    /// What is under way is told.
    fn drop(&mut self) {
        self.way.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that tells panicked");
        }
    }
}

fn run(told: &Taker<Told>, changed: &watch::Sender<u64>) {
    let mut batch = Vec::with_capacity(BATCH);
    while told.take(&mut batch, BATCH, None) == Taken::Some {
        for what in batch.drain(..) {
            // Whoever asked may have gone.
            match what {
                Told::Answer(to, reply) => drop(to.send(reply)),
                Told::Done(to) => drop(to.send(())),
                Told::Changed => changed.send_modify(|n| *n += 1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_told_in_its_order_before_the_teller_ends() {
        let changed = Arc::new(watch::channel(0).0);
        let (to, mut answer) = oneshot::channel();
        let (done, mut drained) = oneshot::channel();
        let teller = Teller::start(changed.clone()).unwrap();
        for what in [Told::Changed, Told::Answer(to, Reply::Pending), Told::Done(done), Told::Changed] {
            teller.tell(what);
        }
        drop(teller);
        assert_eq!((answer.try_recv(), drained.try_recv(), *changed.borrow()), (Ok(Reply::Pending), Ok(()), 2));
    }
}
