"""Keeps Alembic's autogenerate and check from dropping what Caelus has added to a host's tables.

In env.py:

    from caelus_alembic import include_object

    context.configure(connection=connection, target_metadata=Base.metadata, include_object=include_object)

A host with other names, or with a function of its own:

    include_object = caelus_include_object(
        columns={"template": {"helm_chart_repo_url"}, "deployment": {"git_path"}}, schema="caelus", then=my_include_object
    )
"""

COLUMNS = {
    "product_template_version": {"helm_chart_repo_url", "chart_version", "default_values"},
    "deployment": {"git_path", "argo_app_name", "last_synced_at", "sync_status", "status"},
}


def caelus_include_object(columns=COLUMNS, schema="caelus", then=None):
    """Makes a hook for context.configure(include_object=...).

    columns: by table, what Caelus has added. schema: that of Caelus's own tables, which a host sees that compares all
    schemas. then: the host's own hook, asked about everything else.
    """

    def include_object(object_, name, type_, reflected, compare_to):
        # Only what the database has and the host's models have not: a model that names a column is the host's to change.
        if reflected and compare_to is None:
            table = object_ if type_ == "table" else getattr(object_, "table", None)
            if table is not None and table.schema == schema:
                return False
            if type_ == "column" and name in columns.get(table.name, ()):
                return False
        return then is None or then(object_, name, type_, reflected, compare_to)

    return include_object


include_object = caelus_include_object()
