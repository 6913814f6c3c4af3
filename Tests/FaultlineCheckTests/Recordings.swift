import Faultline
import Foundation

/// The recorded cases that lie beside the tests.
enum Recordings {
  static let directory = Bundle.module.bundleURL.appendingPathComponent("Recordings")

  static let files: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return names.sorted()
  }()

  /// Names of the scripts, without their suffix.
  static let scripts = files.filter { $0.hasSuffix(".ops") }.map { String($0.dropLast(4)) }

  /// Names of the recordings, such as `s_fa_eof_a.tmpfs`.
  static let recordings = files.filter { $0.hasSuffix(".jsonl") }.map { String($0.dropLast(6)) }

  /// Those of a guest with an older kernel, such as `6.1/s_mlock_b.ext4`; the scripts are the same.
  static let older: [String] = {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: directory.appendingPathComponent("6.1").path)) ?? []
    return names.filter { $0.hasSuffix(".jsonl") }.sorted().map { "6.1/" + $0.dropLast(6) }
  }()

  /// Those of guests that also tell which locks faults took, such as `6.12/s_spf_cold_a.xfs`; all of them in `locks`.
  static let locks = ofAllKernels(in: "locks")

  /// Those of guests whose files lie on persistent memory, such as `6.18/s_dax_pmd_a.ext4dax`; all of them in `dax`.
  static let direct = ofAllKernels(in: "dax")

  /// Those that tell how often pages were taken hold of, such as `6.12/s_gupc_fbig_a.xfs`; all of them in `holds`.
  static let holds = ofAllKernels(in: "holds")

  private static func ofAllKernels(in folder: String) -> [String] {
    KernelRules.all.flatMap { rules in
      let path = directory.appendingPathComponent("\(folder)/\(rules.name)").path
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      return names.filter { $0.hasSuffix(".jsonl") }.sorted().map { "\(rules.name)/\($0.dropLast(6))" }
    }
  }

  /// Here the recorded events depend on when an asynchronous read came in; all else is compared.
  static let timed: Set<String> = ["s_ra_populate_c.ext4j"]

  static func text(_ name: String) throws -> String {
    try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
  }
}
