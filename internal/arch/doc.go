// Package arch holds no code, only tests: what may import what, how long a function may be, what the go.mod
// must not contain. A rule that nothing checks is a wish; these are the ones that no linter states as briefly.
package arch
