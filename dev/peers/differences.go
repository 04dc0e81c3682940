package main

// differences are the calls that do not end as they should, with the reason.
var differences = map[string]string{
	"sync sessions.get":                 "Didit documents no GET /v3/session/{id}/; the SDK says so itself",
	"async sessions.get":                "as sync",
	"sync sessions.get_decision, null":  "Didit documents null for a block that has not run; this SDK takes lists only",
	"async sessions.get_decision, null": "as sync",
}
