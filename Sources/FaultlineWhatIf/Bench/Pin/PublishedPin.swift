/// What the seed was posted with in December 2020 (seed 002): 16,384 MiB of a device's memory, 512 pages a call, in
/// milliseconds.
enum PublishedPin {
  static let getEachPage = 75.0
  static let get = 3.6
  static let pinEachPage = 125.0
  static let pin = 3.8

  /// Milliseconds for a setting of the seed's experiment; `nil` for others.
  static func milliseconds(_ setting: PinSetting) -> Double? {
    let ofSeed = PinSetting().with {
      $0.kind = setting.kind
      $0.path = setting.path
    }
    guard setting == ofSeed else { return nil }
    return switch (setting.kind, setting.path) {
    case (.reference, .eachPage): getEachPage
    case (.reference, .fast): get
    case (.pin, .eachPage): pinEachPage
    case (.pin, .fast): pin
    case (_, .slow): nil
    }
  }
}
