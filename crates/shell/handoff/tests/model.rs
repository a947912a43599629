//! Every interleaving of the three protocols, by loom: the code of `src/` on a machine whose memory is as weak as the
//! language allows.

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicUsize, fence};
use loom::thread;
use shell_handoff::{Bell, Lanes, Machine, Published, Queue, Slot, Word};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// The model checker's machine.
struct Model;

struct LoomWord(AtomicUsize);

impl Word for LoomWord {
    fn new(value: usize) -> Self {
        LoomWord(AtomicUsize::new(value))
    }

    fn load(&self, order: Ordering) -> usize {
        self.0.load(order)
    }

    fn store(&self, value: usize, order: Ordering) {
        self.0.store(value, order);
    }

    fn swap(&self, value: usize, order: Ordering) -> usize {
        self.0.swap(value, order)
    }

    fn exchange(&self, current: usize, new: usize, order: Ordering) -> bool {
        self.0.compare_exchange(current, new, order, Ordering::Relaxed).is_ok()
    }

    fn add(&self, more: usize, order: Ordering) -> usize {
        self.0.fetch_add(more, order)
    }

    fn sub(&self, less: usize, order: Ordering) -> usize {
        self.0.fetch_sub(less, order)
    }
}

impl Machine for Model {
    type Word = LoomWord;
    type Thread = thread::Thread;

    fn fence() {
        fence(Ordering::SeqCst);
    }

    fn current() -> Self::Thread {
        thread::current()
    }

    fn wake(thread: &Self::Thread) {
        thread.unpark();
    }

    /// Without a moment to wait for: only a wake-up ends it, so a lost one is a deadlock, which loom reports.
    fn sleep(_: Option<Instant>) {
        thread::park();
    }
}

/// A queue as weak as it may be: an item is seen by whoever sees the count.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn push(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    fn take(&self) -> usize {
        self.0.swap(0, Ordering::Acquire)
    }

    fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

/// `switches`: how often a thread may be interrupted in one history; without a bound it is all of them.
fn producers_and_an_owner(producers: usize, each: usize, switches: Option<usize>) {
    let mut histories = loom::model::Builder::new();
    histories.preemption_bound = switches;
    histories.check(move || {
        let shared = Arc::new((Count::default(), Bell::<Model>::default()));
        let threads: Vec<_> = (0..producers)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || {
                    for _ in 0..each {
                        shared.0.push();
                        shared.1.ring();
                    }
                })
            })
            .collect();
        let mut taken = 0;
        while taken < producers * each {
            match shared.0.take() {
                0 => shared.1.wait(None, || !shared.0.is_empty()),
                n => taken += n,
            }
        }
        threads.into_iter().for_each(|t| t.join().unwrap());
    });
}

#[test]
fn one_producer_never_leaves_the_owner_asleep() {
    producers_and_an_owner(1, 2, None);
}

#[test]
fn two_producers_never_leave_the_owner_asleep() {
    producers_and_an_owner(2, 1, Some(3));
}

/// The newest number, as weak as a slot may be.
struct LoomSlot(AtomicUsize);

impl Slot<usize> for LoomSlot {
    fn store(&self, value: usize) {
        self.0.store(value, Ordering::Relaxed);
    }

    fn load(&self) -> Arc<usize> {
        Arc::new(self.0.load(Ordering::Relaxed))
    }
}

#[test]
fn a_reader_gets_what_the_version_promised_or_something_newer_and_never_goes_back() {
    loom::model(|| {
        let published = Arc::new(Published::<usize, Model, LoomSlot>::over(LoomSlot(AtomicUsize::new(0))));
        let writer = published.clone();
        let writer = thread::spawn(move || (1..=3).for_each(|n| writer.publish(n)));
        let mut before = 0;
        for _ in 0..2 {
            let version = published.version();
            let value = *published.load();
            assert!(value >= version, "version {version} was promised, {value} was read");
            assert!(value >= before, "{before} was read before {value}");
            before = value;
        }
        writer.join().unwrap();
    });
}

/// A queue that is taken from and put into one after the other, with room for so many.
struct Bounded(Mutex<VecDeque<(usize, usize)>>, usize);

impl Queue<(usize, usize)> for Bounded {
    fn push(&self, item: (usize, usize)) -> Result<(), (usize, usize)> {
        let mut items = self.0.lock().unwrap();
        if items.len() < self.1 {
            items.push_back(item);
            return Ok(());
        }
        Err(item)
    }

    fn pop(&self) -> Option<(usize, usize)> {
        self.0.lock().unwrap().pop_front()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

/// Producers push while the owner takes: each one's things come out in its order, and none is lost.
fn a_main_queue_and_its_spill(room: usize, each: &'static [usize], switches: Option<usize>) {
    let mut histories = loom::model::Builder::new();
    histories.preemption_bound = switches;
    histories.check(move || {
        let queue = |room| Bounded(Mutex::new(VecDeque::new()), room);
        let lanes = Arc::new(Lanes::<_, Model, _, _>::new(queue(room), queue(8), 8));
        let producers: Vec<_> = each
            .iter()
            .enumerate()
            .map(|(producer, each)| {
                let lanes = lanes.clone();
                thread::spawn(move || (0..*each).for_each(|n| lanes.push((producer, n)).unwrap()))
            })
            .collect();
        let (mut next, mut hand) = (vec![0; each.len()], None);
        while next.iter().zip(each).any(|(next, each)| next < each) {
            match lanes.next(&mut hand) {
                Some((producer, n)) => {
                    assert_eq!(n, next[producer], "of producer {producer}");
                    next[producer] += 1;
                }
                None => thread::yield_now(),
            }
        }
        producers.into_iter().for_each(|p| p.join().unwrap());
        assert_eq!((lanes.next(&mut hand), lanes.spilled()), (None, 0));
    });
}

#[test]
fn what_one_producer_spills_comes_after_what_it_did_not_and_before_what_follows() {
    a_main_queue_and_its_spill(1, &[4], Some(3));
}

#[test]
fn what_two_producers_spill_comes_out_in_the_order_of_each() {
    a_main_queue_and_its_spill(1, &[3, 1], Some(2));
}
