package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// addPersistence also makes the schema and the namespace where they are missing.
func addPersistence(c *config.Config, o *Options) error {
	db, err := database(o.DBFile)
	if err != nil {
		return err
	}
	ns, err := sqliteschema.NewNamespaceConfig(clusterName, namespace, false, nil)
	if err != nil {
		return err
	}
	ns.Detail.Config.Retention = durationpb.New(retention)
	if err := sqliteschema.CreateNamespaces(db, ns); err != nil {
		return fmt.Errorf("database %s: %w", db.DatabaseName, err)
	}
	c.Persistence = config.Persistence{
		DefaultStore:     sqlite.PluginName,
		VisibilityStore:  sqlite.PluginName,
		NumHistoryShards: 1, // fixed for the life of a database
		DataStores:       map[string]config.DataStore{sqlite.PluginName: {SQL: db}},
	}
	return nil
}

func database(file string) (*config.SQL, error) {
	if file == "" {
		return &config.SQL{
			PluginName:        sqlite.PluginName,
			DatabaseName:      fmt.Sprintf("memory-%d", rand.Int64()), // two servers in a process share nothing
			ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
		}, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil { //nolint:gosec // G703: the file is the choice of the person who runs it
		return nil, err
	}
	return &config.SQL{
		PluginName:   sqlite.PluginName,
		DatabaseName: file,
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"setup":        "true", // the schema, unless the file has it
			"journal_mode": "wal",  // with SQLite's defaults updates fail under load
			"synchronous":  "normal",
			// What is deleted is overwritten, as far as SQLite can: erased users should not be found in the file.
			"secure_delete": "on",
		},
	}, nil
}

// emptyLog writes the write-ahead log of a closed database into its file. Temporal leaves it behind,
// and what was deleted can be read in it.
func emptyLog(file string) (err error) {
	db, err := sql.Open("sqlite", file) // the driver is Temporal's
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var busy, pages, written int
	row := db.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	if err := row.Scan(&busy, &pages, &written); err != nil {
		return fmt.Errorf("empty the write-ahead log of %s: %w", file, err)
	}
	if busy != 0 {
		return fmt.Errorf("the write-ahead log of %s is in use: what was deleted can still be read in it", file)
	}
	return nil
}
