"""Spreadsheet and database exports: CSV, XLSX and Parquet folders."""
