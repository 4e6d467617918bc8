import ArgumentParser
import Training

/// How weights are updated; what is not given is the preset's.
package struct OptimizerOptions: ParsableArguments {
    @Option(
        help: """
            What makes steps of gradients: adam, or muon, which makes those of matrices orthogonal and leaves the rest \
            to Adam.
            """)
    package var optimizer: Optimizer?
    @Option(help: "Muon's step as its root mean square, in learning rates. (default: \(Muon().scale))")
    package var muonScale: Float?
    @Option(help: "Muon's momentum. (default: \(Muon().momentum))") package var muonMomentum: Float?

    package enum Optimizer: String, ExpressibleByArgument { case adam, muon }

    package init() {}

    /// An option that asks for Muon; nil: none does.
    package var muonOption: String? { optimizer == .muon ? "--optimizer muon" : settingOption }

    private var settingOption: String? {
        muonScale != nil ? "--muon-scale" : muonMomentum != nil ? "--muon-momentum" : nil
    }

    /// - Parameter muon: the preset's, nil for Adam
    package func apply(to muon: inout Muon?) throws {
        switch optimizer {
        case .adam: muon = nil
        case .muon: muon = muon ?? Muon()
        case nil: break
        }
        guard var chosen = muon else {
            guard let name = settingOption else { return }
            throw ValidationError("\(name): matrices are updated by Adam; give --optimizer muon")
        }
        chosen.scale = muonScale ?? chosen.scale
        chosen.momentum = muonMomentum ?? chosen.momentum
        muon = chosen
    }
}
