// swift-tools-version: 6.1
import PackageDescription

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let models: [Target.Dependency] = ["Kernels", "Tensors", "Models", "Corpus", "Training"]

/// Every stage is its own program; all share the run folder, the manners and the registry of `Stages`.
let stages: [(name: String, needs: [Target.Dependency])] = [
    ("tokenize", ["Kernels", "Tensors", "Corpus"]),
    ("train", models + ["Processes"]),
    ("capture", models),
    ("distill", models + ["Processes"]),
    ("splice", models + [logging]),
    ("score", models + ["Registry", "Scoring", logging]),
    ("bench", models + ["CKernels", "COpenBLAS", "Scoring"]),
    (
        "report",
        [
            "Tensors", "Models", "Training", "Corpus", "Scoring", "Registry",
            .product(name: "Mustache", package: "swift-mustache"),
        ]
    ),
]

let package = Package(
    name: "shallow-attention",
    products: stages.map { .executable(name: $0.name, targets: [$0.name]) },
    traits: [.trait(name: "MPI", description: "Training in several processes, by Open MPI.")],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
    ],
    targets: [
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
        .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
        .target(name: "CKernels"),
        .target(name: "CExhaustion"),
        .target(
            name: "CSentencePiece",
            linkerSettings: [.linkedLibrary("sentencepiece"), .linkedLibrary("sentencepiece_train")]),

        .target(name: "Kernels", dependencies: ["CKernels", "CExhaustion"]),
        .target(
            name: "Processes",
            dependencies: ["Kernels", .target(name: "COpenMPI", condition: .when(traits: ["MPI"]))]),
        .target(name: "Tensors", dependencies: ["COpenSSL"]),
        .target(name: "Models", dependencies: ["CKernels", "Kernels", "Tensors"]),
        .target(name: "Corpus", dependencies: ["CSentencePiece", "CZlib", "CZip", "CExpat", "Kernels", "Tensors"]),
        .target(
            name: "Training",
            dependencies: ["CKernels", "Kernels", "Tensors", "Models", "Corpus", "Processes", "Scoring"]),
        .target(name: "Scoring"),
        .target(name: "Registry", dependencies: ["Tensors", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(
            name: "Stages",
            dependencies: [
                "Registry", "Tensors", "Corpus", "Kernels", "Processes", "Models", "Training", "CExhaustion", arguments,
                logging,
            ]),
    ]
        + stages.map { .executableTarget(name: $0.name, dependencies: ["Stages", arguments] + $0.needs) }
        + [
            .target(name: "CAllocations", dependencies: ["CExhaustion"], path: "Tests/CAllocations"),
            .target(name: "TestSupport", dependencies: ["Tensors"], path: "Tests/Support"),
            .testTarget(name: "KernelsTests", dependencies: ["CKernels", "Kernels", "TestSupport"]),
            .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestSupport"]),
            .testTarget(
                name: "ModelsTests", dependencies: ["CKernels", "Kernels", "Tensors", "Models", "TestSupport"],
                resources: [.copy("Golden")]),
            .testTarget(
                name: "ProgramsTests",
                dependencies: models + [
                    "tokenize", "train", "capture", "distill", "splice", "score", "bench", "Scoring", "Stages",
                    "TestSupport", arguments,
                ]),
            .testTarget(name: "TrainingTests", dependencies: models + ["CAllocations", "TestSupport"]),
            .testTarget(name: "CorpusTests", dependencies: ["Tensors", "Corpus", "TestSupport"]),
            .testTarget(name: "ScoringTests", dependencies: ["Scoring"], resources: [.copy("Golden")]),
            .testTarget(name: "RegistryTests", dependencies: ["Tensors", "Registry", "TestSupport"]),
            .testTarget(
                name: "StagesTests",
                dependencies: ["Tensors", "Corpus", "Registry", "Stages", "TestSupport", arguments, logging]),
            .testTarget(name: "ReportTests", dependencies: ["Tensors", "Models", "Registry", "report", "TestSupport"]),
        ],
    swiftLanguageModes: [.v5],
    cxxLanguageStandard: .cxx17
)

// Programs and tests are one release build, in which tests may look at what is internal here; in other packages it
// would take longer to compile, for nothing. Make compiles with -Onone, and what computes is optimised all the same:
// this halves the compiler's work, for libraries, arguments and bookkeeping have little to do.
let computing: Set = [
    "Kernels", "Processes", "Tensors", "Models", "Corpus", "Training", "Scoring", "bench",
    "KernelsTests", "ModelsTests", "TrainingTests", "TestSupport",
]
for target in package.targets where [.regular, .executable, .test].contains(target.type) {
    let testing = target.type == .test ? [] : ["-enable-testing"]
    let optimising = computing.contains(target.name) ? ["-Xfrontend", "-O"] : []
    target.swiftSettings = [.unsafeFlags(testing), .unsafeFlags(optimising, .when(configuration: .release))]
}

// SUITES="KernelsTests TensorsTests" leaves out what these tests do not need: a build under a sanitizer takes its time.
if let suites = Context.environment["SUITES"] {
    var needed = Set(suites.split(separator: " ").map(String.init)), before = 0
    while needed.count > before {
        before = needed.count
        for target in package.targets where needed.contains(target.name) {
            for dependency in target.dependencies {
                switch dependency {
                case .byNameItem(let name, _), .targetItem(let name, _): needed.insert(name)
                default: break
                }
            }
        }
    }
    package.targets.removeAll { !needed.contains($0.name) }
    package.products.removeAll { !needed.contains($0.name) }
}
