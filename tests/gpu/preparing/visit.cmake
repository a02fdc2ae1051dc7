# What `tests/gpu/visit prepare` builds:
#   gpu_visit          the programs that a visit runs on a GPU
#   gpu_visit_bounded  those of them whose kernels may wait in vain, for a build with SLUICE_BOUNDED_SPINS
#   gpu_visit_dry      all on the imagined GPU, under the same names in <build>/dry/bin
# and <build>/gpu_visit.txt, gpu_visit_bounded.txt, gpu_visit_dry.txt: name <tab> file, a line a program.
# `tests_for_a_gpu` holds the tests that have cases for CUDA.
if(NOT SLUICE_WITH_CUDA OR SLUICE_SANITIZE OR NOT SLUICE_BUILD_BENCH)
  return()
endif()

# Executables of a folder and those under it whose name matches, in `found`.
function(find_programs folder pattern found)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  list(FILTER targets INCLUDE REGEX ${pattern})
  set(programs "")
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL EXECUTABLE)
      list(APPEND programs ${target})
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(below IN LISTS folders)
    find_programs(${below} ${pattern} more)
    list(APPEND programs ${more})
  endforeach()
  set(${found} ${programs} PARENT_SCOPE)
endfunction()

find_programs(${CMAKE_CURRENT_SOURCE_DIR}/gpu "^gpu_" own_programs)
list(FILTER own_programs EXCLUDE REGEX "_(stub|test)$")  # of the tests of the scripts
set(visit_programs sluice_command sluice-bench predictions ${own_programs} ${tests_for_a_gpu})
set(bounded_programs ${visit_programs})  # the persistent kernels beside stepwise, cuDNN and themselves
set(bounded_tests kernels_persistent|engine_persistent|engine_persistent_gradient|engine_shared_input)
list(FILTER bounded_programs INCLUDE REGEX
     "^(${bounded_tests})_test$|^gpu_(real_shapes|cudnn_comparison|repeated_passes)$")
foreach(target IN ITEMS visit visit_bounded)
  set(programs ${visit_programs})
  if(target STREQUAL "visit_bounded")
    set(programs ${bounded_programs})
  endif()
  add_custom_target(gpu_${target} DEPENDS ${programs})
  set(lines "")
  foreach(program IN LISTS programs)
    string(APPEND lines "$<TARGET_FILE_NAME:${program}>\t$<TARGET_FILE:${program}>\n")
  endforeach()
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/gpu_${target}.txt CONTENT "${lines}")
endforeach()

if(NOT TARGET imagined_cudnn)  # without the headers of CUDA or cuDNN there is no imagined GPU of this kind
  return()
endif()
find_programs(${CMAKE_CURRENT_SOURCE_DIR}/cuda_on_cpu "^cuda_on_cpu_gpu_" dry_programs)
list(FILTER dry_programs EXCLUDE REGEX "_test$")
foreach(program IN LISTS tests_for_a_gpu)
  if(TARGET cuda_on_cpu_${program})
    list(APPEND dry_programs cuda_on_cpu_${program})
  endif()
endforeach()
list(TRANSFORM dry_programs REPLACE "^cuda_on_cpu_(.*)$" "\\1:cuda_on_cpu_\\1")
list(PREPEND dry_programs sluice:sluice_on_cuda_on_cpu sluice-bench:sluice_bench_on_cuda_on_cpu predictions:predictions)
set(lines "")
set(targets "")
foreach(pair IN LISTS dry_programs)
  string(REGEX MATCH "^(.*):(.*)$" pair ${pair})
  string(APPEND lines "${CMAKE_MATCH_1}\t$<TARGET_FILE:${CMAKE_MATCH_2}>\n")
  list(APPEND targets ${CMAKE_MATCH_2})
endforeach()
set(list ${CMAKE_BINARY_DIR}/gpu_visit_dry.txt)
file(GENERATE OUTPUT ${list} CONTENT "${lines}")
add_custom_target(gpu_visit_dry
  COMMAND ${CMAKE_COMMAND} -DLIST=${list} -DFOLDER=${CMAKE_BINARY_DIR}/dry/bin
          -P ${CMAKE_CURRENT_SOURCE_DIR}/gpu/preparing/links.cmake
  DEPENDS ${targets} VERBATIM)
