package temporal

import (
	"errors"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"

	"didit-temporal/dev/postgres"
	"didit-temporal/dev/skip"
)

func TestAServerKeepsItsStateInPostgreSQL(t *testing.T) {
	db, err := postgres.Start(t.Context())
	if errors.Is(err, postgres.ErrNotInstalled) {
		skip.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	s, err := Start(t.Context(), Options{Postgres: db.Address, SearchAttributes: map[string]enumspb.IndexedValueType{
		"KycStatus": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}
