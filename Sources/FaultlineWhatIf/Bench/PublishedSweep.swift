/// What the fault-around patch of February 2014 (version 3, Linux 3.15) was posted with: 4 sockets, 120 hardware threads,
/// 128 GiB; one thread each. Sizes differ from ours, so only shares of the figure without fault-around are compared.
public struct PublishedSweep: Sendable, Equatable {
  /// The orders that were measured; 0 is the kernel without the patch.
  public static let orders = [0, 1, 3, 4, 5, 7, 9]

  /// What was run.
  public let name: String
  private let faults: [Double]
  private let seconds: [Double]

  /// Faults as a share of those at order 0; nil for an order that was not posted.
  public func faultShare(_ order: Int) -> Double? { share(faults, order) }

  /// The same for the time.
  public func timeShare(_ order: Int) -> Double? { share(seconds, order) }

  private func share(_ figures: [Double], _ order: Int) -> Double? {
    guard let index = PublishedSweep.orders.firstIndex(of: order), index < figures.count else { return nil }
    return figures[index] / figures[0]
  }

  static let sequential = PublishedSweep(
    name: "sequential read of a mapped 16 GiB file",
    faults: [4_195_437, 2_098_275, 525_068, 262_251, 131_170, 32_856, 8_282],
    seconds: [7.25, 6.46, 5.49, 5.49, 5.71, 5.90, 5.11])

  static let random = PublishedSweep(
    name: "random access to a mapped 1 GiB file",
    faults: [262_636, 132_743, 34_369, 17_299, 8_527, 3_451, 1_222],
    seconds: [15.35, 16.61, 16.57, 15.18, 16.56, 16.58, 15.37])

  /// The posting says that the faults do not change, and gives none.
  static let worst = PublishedSweep(
    name: "one page per 2 MiB of a 16 GiB file",
    faults: [1, 1, 1, 1, 1, 1, 1],
    seconds: [0.0399, 0.0454, 0.0518, 0.0637, 0.0791, 0.1765, 0.5412])

  /// All faults of the run, those of memory that belongs to no file too.
  static let gitTestSuite = PublishedSweep(
    name: "git test suite, all faults",
    faults: [129_591_823, 99_200_751, 66_106_718, 57_606_410, 51_510_808, 45_776_813, 44_085_515],
    seconds: [66.09, 64.78, 64.40, 65.28, 66.03, 66.79, 67.24])
}
