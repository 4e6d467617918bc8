import Foundation

/// Threads that live as long as the program's work and run numbered tasks.
///
/// The number of tasks is chosen by the caller and does not depend on the number of threads, so whatever is summed per
/// task and then in the order of the tasks has the same bits on any machine.
package final class WorkerPool {
    package let threads: Int
    private var workers: [pthread_t] = []
    private let queue = TaskQueue()

    /// - Parameter threads: including the caller's, which works too.
    package init(threads: Int) {
        self.threads = max(1, threads)
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

    /// Calls `body` once for each of 0..<count, from several threads, and returns when all are done. Not re-entrant.
    package func run(_ count: Int, _ body: (Int) -> Void) { run(count) { task, _ in body(task) } }

    /// The same, told which of the threads works: what a thread needs for itself is kept under this number, from 0 on.
    package func run(_ count: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        guard threads > 1, count > 1 else {
            for task in 0..<count { body(task, 0) }
            return
        }
        withoutActuallyEscaping(body) { queue.run(count, $0) }
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
private final class TaskQueue {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var body: ((Int, Int) -> Void)?
    private var next = 0
    private var tasks = 0
    private var running = 0
    private var closing = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        pthread_cond_init(done, nil)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_cond_destroy(done)
        pthread_mutex_destroy(mutex)
        wake.deallocate()
        done.deallocate()
        mutex.deallocate()
    }

    func run(_ count: Int, _ body: @escaping (Int, Int) -> Void) {
        pthread_mutex_lock(mutex)
        self.body = body
        next = 0
        tasks = count
        pthread_cond_broadcast(wake)
        work(0)
        while running > 0 { pthread_cond_wait(done, mutex) }
        self.body = nil
        pthread_mutex_unlock(mutex)
    }

    /// Takes tasks until none is left. Called and left with the mutex held.
    private func work(_ worker: Int) {
        while next < tasks, let body {
            let task = next
            next += 1
            running += 1
            pthread_mutex_unlock(mutex)
            body(task, worker)
            pthread_mutex_lock(mutex)
            running -= 1
        }
        if running == 0 { pthread_cond_signal(done) }
    }

    /// A thread's life.
    func serve(_ worker: Int) {
        pthread_mutex_lock(mutex)
        while !closing {
            work(worker)
            if !closing { pthread_cond_wait(wake, mutex) }
        }
        pthread_mutex_unlock(mutex)
    }

    func close() {
        pthread_mutex_lock(mutex)
        closing = true
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
    }
}
