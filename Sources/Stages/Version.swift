/// The version that every program prints and every run records. It is part of a run's key: raise it whenever the same
/// configuration and inputs would no longer give the same bytes.
public enum Program {
    public static let version = "0.1.0"
}
