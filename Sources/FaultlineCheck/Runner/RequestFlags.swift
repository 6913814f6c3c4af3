import Faultline

extension MapFlags {
  /// The place of a script's mapping is binding but never taken from another mapping, unless the script says so.
  /// MAP_SHARED_VALIDATE refuses the flag that asks for this, and falls on the address as a wish, which an empty place
  /// fulfils.
  func placed(isHint: Bool) -> MapFlags {
    let isValidated = rawValue & 0xF == MapFlags.sharedValidate.rawValue
    return isHint || isValidated || contains(.fixed) ? self : union(.fixedNoReplace)
  }
}

extension RemapRequest {
  var flags: RemapFlags {
    var flags: RemapFlags = mayMove ? .mayMove : []
    if to != nil { flags.insert(.fixed) }
    if keepOldAs != nil { flags.insert(.dontUnmap) }
    return flags
  }
}
