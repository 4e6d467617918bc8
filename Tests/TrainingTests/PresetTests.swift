import Models
import Testing

@testable import Training

@Suite struct PresetTests {
    @Test(arguments: TrainingPreset.allCases, [true, false])
    func everyPresetIsAModelThatCanBeTrained(preset: TrainingPreset, joint: Bool) {
        let values = preset.values(sourceVocabulary: 8000, targetVocabulary: 8000, joint: joint)
        #expect(values.model.problem == nil)
        #expect(values.training.epochs > 0 && values.training.schedule.rate(step: 1, of: 100) > 0)
    }

    /// Bozic et al. 2024, section 3: six layers each, d = 128, 8 heads; Vaswani et al. 2017 for the rate.
    @Test func thePaperIsThePapers() {
        let values = TrainingPreset.paper.values(sourceVocabulary: 8000, targetVocabulary: 8000, joint: true)
        let model = values.model
        #expect((model.width, model.heads) == (128, 8))
        #expect((model.encoderLayers, model.decoderLayers) == (6, 6))
        #expect(model.tying != .all)
        #expect(values.training.epochs == 20)
        let schedule = values.training.schedule
        let top = schedule.rate(step: 4000, of: 20_000)
        #expect(abs(top - 1 / (128 * 4000 as Float).squareRoot()) < 1e-8)
        #expect(abs(schedule.rate(step: 16_000, of: 20_000) - top / 2) < 1e-8)
    }

    @Test func aFamilySaysHowItIsTaught() throws {
        func peak(_ text: String) throws -> Double {
            DistillationPreset.standard.values(try Spec(parsing: text)).training.schedule.peak
        }
        #expect(try peak("alr-s.encoder") == 3e-3)
        #expect(try peak("alr-s.decoder") == 1e-2)
        #expect(try peak("alr-s.cross") == 1e-2)
        let paper = DistillationPreset.paper.values(try Spec(parsing: "alr-s.encoder"))
        #expect(paper.training.epochs == 21 && !paper.distillation.shuffles)
    }
}
