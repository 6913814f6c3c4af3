import Faultline
import FaultlineFS

/// The recovery of one surviving image, which another crash cuts off. What was promised before the first crash holds after the
/// second.
struct RecoveryScenario<Base: CrashScenario>: CrashScenario {
  private let base: Base
  private let image: [UInt8]
  private let moment: CrashMoment<Base.Promise>

  init(of trial: CrashTrial<Base>, _ kept: [Int]) {
    base = trial.scenario
    image = trial.image(kept)
    moment = trial.moment
  }

  var name: String { base.name }
  var summary: String { base.summary }
  var pageCount: UInt64 { base.pageCount }

  func prepare(_ device: any DAXDevice) { image.withUnsafeBytes { device.store($0, at: 0) } }

  func run(_ recorder: CrashRecorder<Never>) throws { try base.recover(recorder.device) }

  func check(_ device: any DAXDevice, at _: CrashMoment<Never>) throws -> [String] {
    try base.check(device, at: moment)
  }

  func place(of offset: UInt64) -> String? { base.place(of: offset) }
}
