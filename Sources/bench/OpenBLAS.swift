import COpenBLAS
import Foundation
import Kernels

/// What the kernels of products are compared with, one thread a call.
enum OpenBLAS {
    /// To be called before anything is begun. OpenBLAS picks its kernels when it is loaded, and an older one that does
    /// not know the processor falls back to plain SSE, five times slower. The choice can only be made by environment,
    /// before loading, so the process replaces itself once, with `OPENBLAS_CORETYPE` set to what the processor can do.
    static func prepare() {
        openblas_set_num_threads(1)
        let chosen = String(cString: openblas_get_corename())
        guard getenv("OPENBLAS_CORETYPE") == nil, ["Prescott", "Generic", "Core2", "Nehalem"].contains(chosen),
            let better = bestCore,
            let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        else { return }
        setenv("OPENBLAS_CORETYPE", better, 1)
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv(program, &arguments)
    }

    /// The fastest family that OpenBLAS ought to have chosen.
    private static var bestCore: String? {
        switch ProductKernels.level {
        case "x86-64-v4": "SkylakeX"
        case "x86-64-v3": "Haswell"
        default: nil
        }
    }

    /// c = a b^T of square matrices.
    static func product(_ a: Matrix, _ b: Matrix, into c: Matrix) {
        let n = blasint(c.rows)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, n, 1, a.base, n, b.base, n, 0, c.base, n)
    }
}
