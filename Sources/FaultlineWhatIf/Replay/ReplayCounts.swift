/// What one replay counted: exact under the rules of the engine, for the chosen files only.
public struct ReplayCounts: Sendable, Equatable {
  /// Faults that waited for a read.
  public var majorFaults: UInt64 = 0
  /// Faults that found their page resident.
  public var minorFaults: UInt64 = 0
  /// Page-table entries installed, by faults themselves and by fault-around.
  public var pagesMapped: UInt64 = 0
  /// Those of them that one entry maps with the 511 around.
  public var pagesMappedHuge: UInt64 = 0
  /// Pages of the chosen files in the page cache at the end.
  public var pagesCached: UInt64 = 0
  /// Bytes of the chosen files brought in from the device.
  public var readBytes: UInt64 = 0
  /// Reads given to the device, each one contiguous run of pages.
  public var readRequests: UInt64 = 0

  public init() {}

  /// Faults of either kind.
  public var faults: UInt64 { majorFaults &+ minorFaults }
}
