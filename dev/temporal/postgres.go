package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema"
	v12 "go.temporal.io/server/schema/postgresql/v12"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	postgresUser   = "temporal"
	postgresShards = 4 // what Temporal's own images begin with; one shard waits for one disk write after the other
)

// addPostgres also makes the databases and their schemas, on a server that is empty.
func addPostgres(c *config.Config, o *Options) error {
	stores := map[string]config.DataStore{}
	for _, d := range []struct {
		name, schema, version string
		kind                  sqlplugin.DbKind
	}{
		{"temporal", "temporal", v12.Version, sqlplugin.DbKindMain},
		{"temporal_visibility", "visibility", v12.VisibilityVersion, sqlplugin.DbKindVisibility},
	} {
		tables, err := schema.Assets().(fs.ReadFileFS).ReadFile("postgresql/v12/" + d.schema + "/schema.sql")
		if err == nil {
			err = makeDatabase(o.Postgres, d.name, string(tables), d.version, d.kind)
		}
		if err != nil {
			return fmt.Errorf("PostgreSQL database %s: %w", d.name, err)
		}
		stores[d.name] = config.DataStore{SQL: postgresConfig(o.Postgres, d.name)}
	}
	c.Persistence = config.Persistence{
		DefaultStore: "temporal", VisibilityStore: "temporal_visibility", NumHistoryShards: postgresShards, DataStores: stores,
	}
	return nil
}

func postgresConfig(address, name string) *config.SQL {
	return &config.SQL{
		PluginName: postgresql.PluginName, ConnectAddr: address, ConnectProtocol: "tcp", User: postgresUser, DatabaseName: name,
		MaxConns: 20, MaxIdleConns: 20, ConnectAttributes: map[string]string{"sslmode": "disable"},
	}
}

func makeDatabase(address, name, tables, version string, kind sqlplugin.DbKind) error {
	if err := administer(address, "postgres", kind, func(db sqlplugin.AdminDB) error { return db.CreateDatabase(name) }); err != nil {
		return err
	}
	return administer(address, name, kind, func(db sqlplugin.AdminDB) error {
		if err := errors.Join(db.CreateSchemaVersionTables(), db.Exec(tables)); err != nil {
			return err
		}
		return db.UpdateSchemaVersion(name, version, version)
	})
}

func administer(address, name string, kind sqlplugin.DbKind, do func(sqlplugin.AdminDB) error) error {
	db, err := sql.NewSQLAdminDB(kind, postgresConfig(address, name), resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

// makeNamespace does for PostgreSQL what a SQLite file is given before the server starts.
func makeNamespace(ctx context.Context, c client.Client) error {
	_, err := c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: namespace, WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	if errors.As(err, new(*serviceerror.NamespaceAlreadyExists)) {
		return nil
	}
	return err
}
