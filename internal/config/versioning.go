package config

import "regexp"

// Behavior is what Temporal does with an open verification when another version of the workers becomes the current one.
type Behavior string

// NoVersioning is the default: any worker takes any task. AutoUpgrade moves open verifications to the current version;
// Pinned leaves each with the version that began it.
const (
	NoVersioning Behavior = "off"
	AutoUpgrade  Behavior = "auto-upgrade"
	Pinned       Behavior = "pinned"
)

// Versioning is Temporal's worker versioning.
type Versioning struct {
	Behavior   Behavior
	Deployment string // name of the workers' deployment at Temporal
	BuildID    string // empty: the version of the program
}

// On reports whether the worker announces a version.
func (v Versioning) On() bool { return v.Behavior != "" && v.Behavior != NoVersioning }

// Temporal separates the two with a dot or a colon, so that a name has none.
var (
	versionedName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
	buildID       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)
)

func (e *env) versioning() Versioning {
	return Versioning{
		Behavior:   choice(e, "WORKER_VERSIONING", NoVersioning, AutoUpgrade, Pinned),
		Deployment: e.matching("WORKER_DEPLOYMENT", "1 to 64 letters, digits, '_' or '-', the first a letter or digit", versionedName),
		BuildID:    e.matching("WORKER_BUILD_ID", "1 to 128 letters, digits, '.', '_', '+' or '-', the first a letter or digit", buildID),
	}
}
