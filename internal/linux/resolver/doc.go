// Package resolver sets up the system's name resolution.
package resolver
