# Compares the table of defects in a document with what the engines find, and looks for each defect of the list in it.
# Arguments: quiesce (the command), engines (their directory), out (for traces), document, last (the number of the last
# id).
execute_process(COMMAND ${quiesce} defects --engine-dir ${engines} --out ${out} --compare ${document}
  OUTPUT_VARIABLE printed ERROR_VARIABLE progress RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "quiesce defects ended with ${status}:\n${printed}\n${progress}")
endif()

file(READ ${document} text)
foreach(number RANGE 1 ${last})
  string(LENGTH ${number} digits)
  if(digits EQUAL 1)
    set(number 0${number})
  endif()
  if(NOT text MATCHES "\n\\| D${number}[a-z]? \\| `")
    message(FATAL_ERROR "${document} does not tell what finds the defect D${number}.")
  endif()
endforeach()
