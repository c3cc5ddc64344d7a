//go:build tools

// Package server names what is built, so that the modules it needs are known.
package server

import _ "github.com/hashicorp/consul"
