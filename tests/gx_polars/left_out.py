"""The JSON cases that are left out, by name, with the reason. At most 25; each must fail today or it has no place here."""

from __future__ import annotations

OBJECT_DTYPE = (
    "the pandas engine looks at the Python type of each value of an `object` or `str` column and lists values; "
    "a Polars column has one type, so the verdict comes from the schema and there are no values to list"
)
NAMES_OBJECT = "expects the pandas dtype `object` for text; the Polars type is String"
NAMES_PANDAS = "expects the name of a pandas dtype as the observed value"
MIXED = "compares whole numbers with a column that holds whole numbers and text; a Polars column has one type"

LEFT_OUT: dict[str, str] = {
    "expect_column_values_to_be_in_type_list-1-positive_test_string_values": OBJECT_DTYPE,
    "expect_column_values_to_be_in_type_list-1-positive_test_string_and_int_values": OBJECT_DTYPE,
    "expect_column_values_to_be_in_type_list-1-negative_test_string_and_int_values_summary_output": OBJECT_DTYPE,
    "expect_column_values_to_be_in_type_list-1-negative_test_string_and_int_values_complete_output": OBJECT_DTYPE,
    "expect_column_values_to_be_of_type-1-dtype_object_and_type_object_still_has_aggregate_semantics": NAMES_OBJECT,
    "expect_column_values_to_be_of_type-1-dtype_object_and_type_object_still_has_aggregate_semantics_big_o": NAMES_OBJECT,
    "expect_column_values_to_be_of_type-2-positive_pandas_datetime_no_timezone": NAMES_PANDAS,
    "expect_column_values_to_be_of_type-2-negative_pandas_datetime_expected_int": NAMES_PANDAS,
    "expect_column_pair_values_to_be_equal-1-basic_negative_example_compare_number_to_text": MIXED,
    "expect_column_pair_values_to_be_equal-1-positive_example_with_mostly_compare_number_to_text": MIXED,
}
