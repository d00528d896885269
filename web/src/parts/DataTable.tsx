// A table of rows that can be searched and sorted; on a phone it scrolls within its frame.
import { Table, Text, TextInput, UnstyledButton } from "@mantine/core";
import {
  createColumnHelper,
  createSortedRowModel,
  rowSortingFeature,
  sortFns,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { type ReactNode, useMemo, useState } from "react";
import { Scroll } from "./Scroll";

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns,
});

/** value: what is sorted by and searched in. show: what is seen; default: the value. acts: it has buttons, no values. */
export interface Column<Row> {
  header: string;
  acts?: boolean;
  value: (row: Row) => string | number;
  show?: (row: Row) => ReactNode;
}

interface Props<Row> {
  label: string;
  rows: Row[];
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  empty: string;
  /** Whether it has a field to search the rows in; not where they are one page of many. */
  searched?: boolean;
}

export function DataTable<Row extends object>({
  label,
  rows,
  columns,
  rowKey,
  empty,
  searched = true,
}: Props<Row>) {
  const [wanted, setWanted] = useState("");
  const defined = useMemo(() => {
    const helper = createColumnHelper<typeof features, Row>();
    return helper.columns(
      columns.map((column) =>
        helper.accessor((row: Row) => column.value(row), {
          id: column.header,
          header: column.header,
          sortFn: "alphanumeric",
          enableSorting: !column.acts,
          cell: (context) =>
            column.show?.(context.row.original) ?? String(column.value(context.row.original)),
        }),
      ),
    );
  }, [columns]);
  const found = useMemo(() => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return rows;
    return rows.filter((row) => {
      const text = columns
        .map((column) => column.value(row))
        .join(" ")
        .toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }, [rows, columns, wanted]);
  const table = useTable({ features, columns: defined, data: found, getRowId: rowKey });
  return (
    <div>
      {searched && rows.length > 5 && (
        <TextInput
          mb="sm"
          maw={340}
          placeholder="Search"
          aria-label={`Search in ${label}`}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
      )}
      <Scroll className="table-scroll" aria-label={label}>
        <Table verticalSpacing="xs" striped highlightOnHover>
          <Table.Thead>
            {table.getHeaderGroups().map((group) => (
              <Table.Tr key={group.id}>
                {group.headers.map((header) => {
                  const sorted = header.column.getIsSorted();
                  const order = sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : "none";
                  return (
                    <Table.Th key={header.id} aria-sort={header.column.getCanSort() ? order : undefined}>
                      {header.column.getCanSort() ? (
                        <UnstyledButton fw={600} fz="sm" onClick={header.column.getToggleSortingHandler()}>
                          <table.FlexRender header={header} />
                          <span aria-hidden="true">
                            {sorted === "asc" ? " ↑" : sorted === "desc" ? " ↓" : ""}
                          </span>
                        </UnstyledButton>
                      ) : (
                        <table.FlexRender header={header} />
                      )}
                    </Table.Th>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Thead>
          <Table.Tbody>
            {table.getRowModel().rows.map((row) => (
              <Table.Tr key={row.id}>
                {row.getAllCells().map((cell) => (
                  <Table.Td key={cell.id}>
                    <table.FlexRender cell={cell} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Scroll>
      {found.length === 0 && (
        <Text c="dimmed" p="md">
          {rows.length === 0 ? empty : "Nothing fits the search."}
        </Text>
      )}
    </div>
  );
}
