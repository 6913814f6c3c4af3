extension [Double] {
  /// The middle one; of an even count the upper of both, and 0 of none.
  var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}
