# Looks at the object code of the domains of one thread: no atomic read-modify-write, no fence, no futex, no thread.
#
#   cmake -D LIBRARY=<the core as an archive> -D NM=<nm> -D OBJDUMP=<objdump> -D AR=<ar> -D DIR=<scratch> -P
#   test_single_thread_code.cmake
cmake_minimum_required(VERSION 3.25)

file(MAKE_DIRECTORY ${DIR})
set(member single_thread.cpp.o)
execute_process(COMMAND ${AR} x ${LIBRARY} ${member} WORKING_DIRECTORY ${DIR} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${OBJDUMP} -d --no-show-raw-insn ${DIR}/${member}
  OUTPUT_VARIABLE code COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${NM} -u -C ${DIR}/${member} OUTPUT_VARIABLE needed COMMAND_ERROR_IS_FATAL ANY)

string(REGEX MATCH "\tret" looked "${code}")
if(NOT looked)
  message(FATAL_ERROR "There is no code in ${member}.")
endif()
# An exchange with memory is atomic without the prefix.
string(REGEX MATCHALL "\t(lock [^\n]*|xchg [^\n]*\\([^\n]*|[msl]fence[^\n]*)" atomic "${code}")
string(REGEX MATCHALL "[^\n]*(pthread|std::thread|native::(park|unpark|full_fence|process_wide_fence|set_slot))[^\n]*"
  shared "${needed}")
if(atomic OR shared)
  message(FATAL_ERROR "The code for one thread has: ${atomic} ${shared}")
endif()
