"""The database: tables, engine, writer, and the functions of a connection that read and write. The only home of SQL."""
