# Whether a page shows a program's output, indented: cmake -D page=FILE -D output=FILE -P page_has_output.cmake
file(READ ${page} shown)
file(READ ${output} lines)
string(STRIP "${lines}" lines)
string(REPLACE "\n" "\n    " lines "    ${lines}")
string(FIND "${shown}" "${lines}" found)
if(found EQUAL -1)
  message(FATAL_ERROR "${page} does not show what stands in ${output}.")
endif()
