import CKernels
import Foundation
import Synchronization

/// Threads that live as long as the program's work and run numbered tasks.
///
/// The number of tasks is chosen by the caller. No bit depends on the number of threads where each sum is one task's,
/// or is cut by what is added alone.
package final class WorkerPool {
    package let threads: Int
    /// For how many threads work is to be cut: as many as there are, but where other numbers are simulated.
    package let cutsFor: Int
    /// Where tasks leave their durations, if anybody asks; they then run on the caller's thread.
    package var record: TaskRecord?
    private var workers: [pthread_t] = []
    private let queue: TaskQueue

    /// - Parameter threads: including the caller's, which works too.
    package init(threads: Int, cutsFor: Int? = nil) {
        self.threads = max(1, threads)
        self.cutsFor = cutsFor ?? self.threads
        queue = TaskQueue(threads: self.threads)
        for number in 1..<max(self.threads, 2) where self.threads > 1 {
            var worker = pthread_t()
            let shared = Unmanaged.passRetained(Worker(queue, number))
            let code = pthread_create(
                &worker, nil,
                { context in
                    let worker = Unmanaged<Worker>.fromOpaque(context!).takeRetainedValue()
                    worker.queue.serve(worker.number)
                    return nil
                }, shared.toOpaque())
            guard code == 0 else {
                shared.release()  // where the process has not ended (see CExhaustion), fewer threads do the same work
                break
            }
            workers.append(worker)
        }
    }

    deinit {
        queue.close()
        for worker in workers { pthread_join(worker, nil) }
    }

    /// Calls `body` once for each of 0..<count, from several threads, and returns when all are done. Called from inside
    /// a task, it runs them one after another on that task's thread; called from several threads, it takes these in
    /// turn.
    package func run(_ count: Int, _ body: (Int) -> Void) { run(count) { task, _ in body(task) } }

    /// The same, told which of the threads works: what a thread needs for itself is kept under this number, from 0 on.
    package func run(_ count: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        if let worker = queue.currentWorker {
            for task in 0..<count { body(task, worker) }
            return
        }
        if let record { return queue.alone { record.run(count) { body($0, 0) } } }
        guard threads > 1, count > 1 else { return queue.alone { for task in 0..<count { body(task, 0) } } }
        withoutActuallyEscaping(body) { body in
            var start = 0
            repeat {
                let own = min(count - start, TaskQueue.mostTasks), first = start
                first == 0 ? queue.run(own, body) : queue.run(own) { body(first + $0, $1) }
                start += own
            } while start < count
        }
    }
}

/// How long tasks took, one after another, section by section.
package final class TaskRecord {
    /// Seconds of processor time of the tasks of each section: what else runs on the machine is not in it.
    package private(set) var sections: [[Double]] = []

    package init() {}

    fileprivate func run(_ count: Int, _ body: (Int) -> Void) {
        var durations: [Double] = [], start = Clock.processorNow
        for task in 0..<count {
            body(task)
            let end = Clock.processorNow
            durations.append(end - start)
            start = end
        }
        sections.append(durations)
    }
}

private final class Worker {
    let queue: TaskQueue
    let number: Int

    init(_ queue: TaskQueue, _ number: Int) {
        self.queue = queue
        self.number = number
    }
}

/// What the threads share. They own it together with the pool, so that they never keep the pool itself alive.
///
/// A thread that has nothing to do looks for tasks for a moment and then sleeps; tasks are taken by counting up,
/// without a lock. Whoever is about to sleep says so first and looks once more; whoever has news looks for sleepers
/// afterwards.
private final class TaskQueue {
    /// Tasks of one section, at most.
    static let mostTasks = 1 << 20 - 1

    /// The section at work, its tasks, and how many of them are taken: in one number, so that nobody who comes late
    /// takes a task of another section for one of this.
    private struct Tickets {
        var bits: UInt64

        init(section: UInt64, tasks: Int) { bits = section << 40 | UInt64(tasks) << 20 }
        init(_ bits: UInt64) { self.bits = bits }
        private static let mask: UInt64 = 1 << 20 - 1
        var section: UInt64 { bits >> 40 }
        var next: Int? {
            let next = bits & Self.mask
            return next < bits >> 20 & Self.mask ? Int(next) : nil
        }
    }

    private let tickets = Atomic<UInt64>(0)
    /// Tasks that are not done.
    private let remaining = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let callerSleeps = Atomic<Bool>(false)
    private let closing = Atomic<Bool>(false)
    /// Of the section at work. Nobody reads it but with a task in hand, so that it cannot change meanwhile.
    private var body: ((Int, Int) -> Void)?

    private let callers = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Under which each thread keeps its number, from 1 on, while it is at work.
    private var key = pthread_key_t()
    private let spins: Int
    /// Some 10 microseconds. With more threads than cores others would wait for them.
    private static let spins = 500

    init(threads: Int) {
        spins = threads <= Cores.allowed ? Self.spins : 0
        pthread_mutex_init(callers, nil)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        pthread_cond_init(done, nil)
        require(pthread_key_create(&key, nil) == 0, "more than a thousand pools at a time")
    }

    deinit {
        pthread_key_delete(key)
        pthread_cond_destroy(wake)
        pthread_cond_destroy(done)
        pthread_mutex_destroy(mutex)
        pthread_mutex_destroy(callers)
        wake.deallocate()
        done.deallocate()
        mutex.deallocate()
        callers.deallocate()
    }

    /// The number of the thread that asks, if it is at work on a task.
    var currentWorker: Int? {
        let number = Int(bitPattern: pthread_getspecific(key))
        return number == 0 ? nil : number - 1
    }

    /// Work of the caller's thread by itself.
    func alone(_ body: () -> Void) {
        pthread_mutex_lock(callers)
        atWork(0, body)
        pthread_mutex_unlock(callers)
    }

    func run(_ count: Int, _ body: @escaping (Int, Int) -> Void) {
        pthread_mutex_lock(callers)
        defer { pthread_mutex_unlock(callers) }
        self.body = body
        remaining.store(count, ordering: .relaxed)
        let section = Tickets(tickets.load(ordering: .relaxed)).section &+ 1
        tickets.store(Tickets(section: section & (1 << 24 - 1), tasks: count).bits, ordering: .sequentiallyConsistent)
        wakeSleepers(count - 1)
        work(0)
        waitForOthers()
        self.body = nil
    }

    private func wakeSleepers(_ tasks: Int) {
        let asleep = sleepers.load(ordering: .sequentiallyConsistent)
        guard asleep > 0 else { return }
        pthread_mutex_lock(mutex)
        if tasks >= asleep { pthread_cond_broadcast(wake) } else { for _ in 0..<tasks { pthread_cond_signal(wake) } }
        pthread_mutex_unlock(mutex)
    }

    private func waitForOthers() {
        for _ in 0..<spins {
            if remaining.load(ordering: .acquiring) == 0 { return }
            pause_briefly()
        }
        pthread_mutex_lock(mutex)
        callerSleeps.store(true, ordering: .sequentiallyConsistent)
        while remaining.load(ordering: .sequentiallyConsistent) > 0 { pthread_cond_wait(done, mutex) }
        callerSleeps.store(false, ordering: .relaxed)
        pthread_mutex_unlock(mutex)
    }

    /// Takes tasks until none is left.
    private func work(_ worker: Int) {
        guard let first = takeTask() else { return }
        atWork(worker) {
            var task: Int? = first
            while let own = task {
                perform(own, worker)
                if remaining.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { wakeCaller() }
                task = takeTask()
            }
        }
    }

    /// So that `currentWorker` says who works.
    private func atWork(_ worker: Int, _ body: () -> Void) {
        pthread_setspecific(key, UnsafeRawPointer(bitPattern: worker + 1))
        body()
        pthread_setspecific(key, nil)
    }

    private func takeTask() -> Int? {
        var seen = tickets.load(ordering: .acquiring)
        while let task = Tickets(seen).next {
            let (exchanged, original) = tickets.weakCompareExchange(
                expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
            if exchanged { return task }
            seen = original
        }
        return nil
    }

    /// By itself, so that nothing holds on to the closure when the task counts as done.
    @inline(never)
    private func perform(_ task: Int, _ worker: Int) { body!(task, worker) }

    private func wakeCaller() {
        guard callerSleeps.load(ordering: .sequentiallyConsistent) else { return }
        pthread_mutex_lock(mutex)
        pthread_cond_signal(done)
        pthread_mutex_unlock(mutex)
    }

    /// Looks for tasks for a moment.
    private func foundTasks() -> Bool {
        for _ in 0..<spins {
            if hasTasks { return true }
            pause_briefly()
        }
        return hasTasks
    }

    private var hasTasks: Bool { Tickets(tickets.load(ordering: .sequentiallyConsistent)).next != nil }

    /// A thread's life.
    func serve(_ worker: Int) {
        while true {
            work(worker)
            if foundTasks() { continue }
            pthread_mutex_lock(mutex)
            sleepers.add(1, ordering: .sequentiallyConsistent)
            while !hasTasks && !closing.load(ordering: .relaxed) { pthread_cond_wait(wake, mutex) }
            sleepers.subtract(1, ordering: .sequentiallyConsistent)
            pthread_mutex_unlock(mutex)
            if closing.load(ordering: .relaxed) { return }
        }
    }

    func close() {
        pthread_mutex_lock(mutex)
        closing.store(true, ordering: .relaxed)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
    }
}
