module didit-temporal

go 1.26.0

require (
	go.temporal.io/api v1.64.1 // indirect
	go.temporal.io/sdk v1.50.0 // indirect
)
