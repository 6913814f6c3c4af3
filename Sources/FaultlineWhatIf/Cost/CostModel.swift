/// # Cost
///
/// What counted events come to in time: measured on this machine in the same run, or fixed for tests.
///
/// Laws
/// 1. Every figure says where it comes from.
/// 2. A measurement takes well under a second and leaves nothing behind: its file never has a name.
///
/// This folder calls `Host/`.

/// Turns counted events into an estimated time.
///
/// The estimate is a sum of independent costs: it does not know which reads overlap with computing, so it serves to
/// compare policies of one program, not to predict a wall clock.
public protocol CostModel: Sendable {
  /// The costs that the estimate is made of.
  var costs: EventCosts { get }
}

extension CostModel {
  /// Estimated nanoseconds that the program waits for the events counted.
  public func nanoseconds(for counts: ReplayCounts) -> Double {
    let extraPages = counts.pagesMapped > counts.faults ? counts.pagesMapped - counts.faults : 0
    return Double(counts.faults) * costs.faultNanoseconds
      + Double(extraPages) * costs.mappedPageNanoseconds
      + Double(counts.readRequests) * costs.readRequestNanoseconds
      + Double(counts.readBytes) / 1e6 * costs.megabyteNanoseconds
  }
}

/// What single events cost, in nanoseconds.
public struct EventCosts: Sendable, Equatable {
  /// A fault that maps one resident page.
  public var faultNanoseconds: Double
  /// Each further page that fault-around maps in the same fault.
  public var mappedPageNanoseconds: Double
  /// A read of no length: submission, interrupt, wake-up.
  public var readRequestNanoseconds: Double
  /// Moving 1,000,000 bytes from the device into the page cache.
  public var megabyteNanoseconds: Double
  /// Where the figures come from, for people: "measured in this run on ext4", "fixed".
  public var origin: String

  public init(
    faultNanoseconds: Double, mappedPageNanoseconds: Double, readRequestNanoseconds: Double,
    megabyteNanoseconds: Double, origin: String
  ) {
    self.faultNanoseconds = faultNanoseconds
    self.mappedPageNanoseconds = mappedPageNanoseconds
    self.readRequestNanoseconds = readRequestNanoseconds
    self.megabyteNanoseconds = megabyteNanoseconds
    self.origin = origin
  }
}

/// The same costs on every machine: for tests, and for tables that must not differ from run to run.
public struct FixedCostModel: CostModel {
  public let costs: EventCosts

  public init(
    costs: EventCosts = EventCosts(
      faultNanoseconds: 500, mappedPageNanoseconds: 40, readRequestNanoseconds: 50_000,
      megabyteNanoseconds: 300_000, origin: "fixed")
  ) {
    self.costs = costs
  }
}
