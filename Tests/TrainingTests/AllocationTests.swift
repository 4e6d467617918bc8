import CAllocations
import Foundation
import Kernels
import Models
import Testing

@testable import Training

/// A step allocates nothing once the largest batch has been seen. Batches here are so large that an array with a number
/// for each token takes more than 4,096 bytes.
///
/// Without optimisation the standard library's generics ask for a few bytes whenever they step through an array, so
/// that small allocations say something in an optimised build alone:
/// `swift test -c release --skip-build --filter AllocationTests`.
@Suite(.enabled(if: allocations_can_be_counted())) struct AllocationTests {
    #if DEBUG
        private static let isOptimised = false
    #else
        private static let isOptimised = true
    #endif

    /// The counter itself: what it would have to miss for the other tests to pass by mistake.
    @Test(arguments: 1...3) func whatEveryThreadAllocatesIsCounted(threads: Int) {
        let pool = WorkerPool(threads: threads),
            blocks = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: 6)
        let found = Allocations.least(in: pool) {
            pool.run(6) { blocks[$0] = $0 < 2 ? .allocate(byteCount: 1 << 16, alignment: 64) : malloc(10) }
            for index in 0..<6 { free(blocks[index]) }
        }
        #expect(
            found == Allocations(small: threads == 1 ? 4 : 5, large: 2), "and one more where there are threads to wake")
        blocks.deallocate()
    }

    @Test(arguments: [1, 2], [nil, Muon()]) func aStepOfATeacher(threads: Int, muon: Muon?) throws {
        var bench = Workbench()
        bench.muon = muon
        (bench.sentences, bench.batchTokens, bench.clip) = (1500, 2500, 1)
        let pool = WorkerPool(threads: threads)
        try expectNone(bench.trainee(pool), pool, sections: 7)  // two rounds
    }

    @Test(arguments: [1, 2]) func aStepInPlace(threads: Int) throws {
        let bench = Workbench(), pool = WorkerPool(threads: threads), teacher = bench.trainee(pool)
        let train = reversal(1500, seed: 1), shape = teacher.model.configuration
        var settings = TransformerTrainee.Settings(), teaching = TeachingSettings()
        teaching.likeliest = 3
        (settings.batchTokens, settings.clip, settings.teaching) = (2500, 1, teaching)
        let specs = try ["mix-k4r8.encoder.0", "slots-k4d2.decoder.0", "mix-k4r8.cross.0"].map(Spec.init(parsing:))
        let trainee = TransformerTrainee(
            Transformer(shape, try Replacements(specs, in: shape)), train: train, valid: reversal(30, seed: 2),
            settings: settings,
            lessons: try TeacherLessons(teacher.model, weights: teacher.weights, train, teaching, pool: pool),
            pool: pool)
        try expectNone(trainee, pool, sections: 7)
    }

    @Test(arguments: ["alr-h24.encoder.0", "aslr-h16.encoder.0", "alr-h24.decoder.0", "alr-h24.cross.0"], [1, 2])
    func aStepOfAReplacement(_ text: String, threads: Int) throws {
        let bench = try DistillationBench(sentences: 1300), pool = WorkerPool(threads: threads)
        (bench.settings.batch, bench.settings.dropout) = (600, 0.1)
        try expectNone(bench.trainee(text, pool), pool, sections: 24)
    }

    @Test(arguments: ["mix-k8r16.cross.0", "slots-k8d4.decoder.0"], [1, 2])
    func aStepOfAMixer(_ text: String, threads: Int) throws {
        let bench = try DistillationBench(sentences: 1300), pool = WorkerPool(threads: threads)
        (bench.settings.batch, bench.settings.clip) = (600, 1)
        try expectNone(bench.trainee(text, pool), pool, sections: 5)
    }

    /// Sentences, their batch and their translations are put together once a call; fifty steps more take a few, as
    /// arrays of ids grow, not one each.
    @Test(arguments: [1, 4]) func aStepOfATranslation(beam: Int) throws {
        let bench = Workbench(), pool = WorkerPool(threads: 1), trainee = bench.trainee(pool)
        let sentences = (0..<40).map { sentence in (0...sentence % 7).map { Int32(3 + $0) } }
        let found = [10, 60].map { length in
            var search = SearchConfiguration(beam: beam)
            search.forcedLength = length
            let translator = Translator(trainee.model, weights: trainee.weights, search: search, pool: pool)
            _ = translator.translate(sentences)
            return Allocations.least(in: pool) { _ = translator.translate(sentences) }
        }
        #expect(found.allSatisfy { $0.large == 0 }, "\(found)")
        if Self.isOptimised {
            #expect(abs(found[0].small - found[1].small) < 10, "fifty steps more: \(found)")
            #expect(found[0].small <= 10 * sentences.count, "\(found)")
        }
    }

    /// Goes through an epoch twice and counts the second time.
    ///
    /// - Parameter sections: most times that a step gives tasks to threads; each takes a few bytes for what they share,
    ///   since a closure that another thread calls has to be on the heap
    private func expectNone(_ trainee: Trainee, _ pool: WorkerPool, sections: Int) throws {
        let adam = Adam(Adam.Settings(), count: trainee.weights.count), batches = trainee.begin(epoch: 0)
        #expect(batches > 2)
        for batch in 0..<batches { _ = try trainee.step(batch: batch, step: 1 + batch, rate: 1e-3, adam: adam) }
        for batch in 0..<batches {
            let found = try Allocations.least(in: pool) {
                _ = try trainee.step(batch: batch, step: 1 + batches + batch, rate: 1e-3, adam: adam)
            }
            #expect(found.large == 0, "batch \(batch): \(found)")
            if Self.isOptimised {
                #expect(found.small <= (pool.threads == 1 ? 0 : sections), "batch \(batch): \(found)")
            }
        }
    }
}
